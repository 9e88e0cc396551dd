/** A worker thread that uses the addon: says what it holds, then goes on with it until it is terminated. */
import { parentPort, workerData } from 'node:worker_threads';
import { getuid, idsOf, open, openAttached } from '../support.ts';

const { mode } = workerData as { mode: 'loading' | 'attached' | 'draining' | 'attaching' | 'closing' };

if (mode === 'loading') {
  // Unresolved while the parent terminates us; several, so that some wait in the pool's queue.
  for (let i = 0; i < 8; i++) void open('mixed').load();
  parentPort?.postMessage({ links: [], programs: [], maps: [] });
  setInterval(() => {}, 1000);
} else if (mode === 'attaching') {
  for (let i = 0; i < 4; i++) {
    const object = open('counter');
    await object.load();
    void object.attachAsync();
  }
  parentPort?.postMessage({ links: [], programs: [], maps: [] });
  setInterval(() => {}, 1000);
} else if (mode === 'closing') {
  const objects = await Promise.all(Array.from({ length: 6 }, () => openAttached('many')));
  const ids = objects.map((object) => idsOf(object));
  parentPort?.postMessage({ links: ids.flatMap((id) => id.links), programs: ids.flatMap((id) => id.programs), maps: ids.flatMap((id) => id.maps) });
  setTimeout(() => {
    for (const object of objects) void object.closeAsync();
  }, 3);
  setInterval(() => {}, 1000);
} else {
  const object = await openAttached('stream');
  parentPort?.postMessage(idsOf(object));
  if (mode === 'draining') {
    for (;;) {
      getuid(100);
      object.ring('records').drain();
    }
  }
  setInterval(() => object.ring('records').pending(), 1000);
}
