/** The screen on a node that does not exist: what the real program does to a terminal, without root and BPF. */
import { FakeNode, fakeSource } from '../../ui/fixtures.ts';
import { runUi } from '../../../src/ui/run.tsx';

const env = process.env;
const intervalMs = Number(env['FAKE_MS'] ?? 200);
const node = new FakeNode({ containers: Number(env['FAKE_CONTAINERS'] ?? 12), intervalMs });
// Made before the start and shown in turn: the benchmark is about showing them.
const frames = Array.from({ length: 30 }, () => node.next());
const source = fakeSource(node);
let shown = 0;
const emit = (): void => void source.emit(frames[shown++ % frames.length]);
emit();
setInterval(emit, intervalMs);

/** FAKE_CHAOS=stock or full: faults of a kernel that can little or all. Whoever is hit tries again. */
const containers = frames.at(-1)?.containers ?? {};
async function openDoor(kernel: string) {
  const [{ FULL, STOCK }, { FakeDoor }] = await Promise.all([import('../../chaos/capabilities-fixture.ts'), import('../../ui/chaos/fake-door.ts')]);
  return new FakeDoor({ capabilities: kernel === 'full' ? FULL : STOCK, containers: () => containers });
}
const door = env['FAKE_CHAOS'] === undefined ? null : await openDoor(env['FAKE_CHAOS']);
if (door !== null) {
  let calls = 0;
  setInterval(() => {
    door.passTime();
    for (const { id, state } of door.faults) if (state === 'armed') door.call(id, 2, { pid: 20_000 + (calls++ % 7), comm: calls % 3 === 0 ? 'worker' : 'nginx', path: calls % 2 === 0 ? '/var/lib/data/segment-1' : '/etc/hosts' });
  }, 300);
}

/** Misfortunes to order, FAKE_MISFORTUNE_MS after the start. */
const MISFORTUNES: Readonly<Record<string, () => void>> = {
  throw: () => { throw new Error('thrown in a timer'); },
  reject: () => void Promise.reject(new Error('rejected and forgotten')),
  exit: () => process.exit(7),
  frame: () => source.emit({ panes: null } as never),
  door: () => door?.vanish('the helper was killed'),
  source: () => source.end(new Error('the source has failed')),
  stray: () => {
    console.log('a stray line on stdout');
    console.error('a stray line on stderr');
    process.emitWarning('a stray warning');
  },
};
const misfortune = MISFORTUNES[env['FAKE_MISFORTUNE'] ?? ''];
if (misfortune) setTimeout(misfortune, Number(env['FAKE_MISFORTUNE_MS'] ?? 1000));

let code: number;
try {
  code = await runUi(source, { color: 'auto', ascii: false, intervalMs, readOnly: false, scope: null, saveDirectory: process.cwd(), version: '0.0.0', chaos: door });
} catch (error) {
  process.stderr.write(`kbtop: ${(error as Error).message}\n`);
  code = 1;
}
await door?.close();
await source.close();
process.exit(code);
