/**
 * What viewers of a shared session cost the server, per Frame: all CPU time of its process, compression on other threads
 * counted in, against writing the same Frame as JSON once, which is what any one way out of the process costs at least.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Frame } from '../src/frame/frame.ts';
import type { FrameSource } from '../src/frame/source.ts';
import { Access } from '../src/session/server/access.ts';
import { Accounts } from '../src/session/server/accounts.ts';
import { SessionServer } from '../src/session/server/server.ts';
import { FakeNode } from '../test/ui/fixtures.ts';
import { type BenchRow, median } from './bench.ts';

const CONTAINERS = 100;
const FRAMES = 30;
const ROUNDS = 5;
const PAUSE_MS = 20;
const VIEWERS: readonly (readonly [count: number, most: number])[] = [[1, 3], [10, 3], [50, 4]];

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Frames that have never been written before: what V8 keeps of a string must not help. */
function frames(): Frame[] {
  const node = new FakeNode({ containers: CONTAINERS });
  return Array.from({ length: FRAMES }, () => node.next());
}

/** With pauses between, as between ticks: in a loop without any, caches make it cheaper than it ever is. */
async function once(): Promise<number> {
  let ms = 0;
  for (const frame of frames()) {
    await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    const from = cpuMs();
    Buffer.from(JSON.stringify(frame));
    ms += cpuMs() - from;
  }
  return ms / FRAMES;
}

/** Per Frame, milliseconds. */
async function shared(viewers: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'kbtop-bench-'));
  const listeners = new Set<(frame: Frame) => void>();
  const source: FrameSource = {
    can: { setInterval: false, setLevel: false }, done: new Promise(() => {}), setInterval: () => {}, setLevel: () => {}, close: () => Promise.resolve(),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const session = new SessionServer({
    source, door: null, access: new Access({ uid: 0, gid: 0, mode: 0o666, control: null }), accounts: new Accounts(), audit: null, version: 'bench', node: 'bench', intervalMs: 1000,
    intervalLimits: { min: 100, max: 1000 }, scope: null, permits: { expert: false, allowSystem: false }, log: () => {},
  });
  // Of several users: one alone may not have that many.
  let came = 0;
  const net = createServer((socket) => session.take(socket, { pid: 0, uid: came++ % 4, gid: 0, groups: [] }));
  const path = join(directory, 's');
  await new Promise<void>((resolve) => { net.listen(path, resolve); });
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'session-viewers.ts'), path, String(viewers)], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    if (child.stdout === null) throw new Error('no pipe');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    while (session.counts.viewers < viewers) await new Promise((resolve) => { setTimeout(resolve, 20); });
    const [first, ...all] = [...frames(), ...frames()];
    const tick = async (frame: Frame | undefined): Promise<void> => {
      for (const listener of listeners) if (frame !== undefined) listener(frame);
      if ((await lines.next()).done === true) throw new Error('the viewers ended early');
    };
    await tick(first);
    const from = cpuMs();
    for (const frame of all) await tick(frame);
    const ms = (cpuMs() - from) / all.length;
    if (session.counts.skipped > 0) throw new Error('a viewer was too slow');
    return ms;
  } finally {
    child.kill();
    await session.close();
    net.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

export async function run(): Promise<readonly BenchRow[]> {
  const peers: number[] = [], ours = new Map<number, number[]>(VIEWERS.map(([count]) => [count, []]));
  await once();
  for (let round = 0; round < ROUNDS; round++) {
    peers.push(await once());
    for (const [count] of VIEWERS) ours.get(count)?.push(await shared(count));
  }
  const peer = median(peers);
  return VIEWERS.map(([count, most]) => {
    const mine = median(ours.get(count) ?? []);
    return { name: `session, ${count} viewer${count === 1 ? '' : 's'}, ${CONTAINERS} containers, CPU ms per Frame`, ours: mine, peer, ratio: mine / peer, aim: `<= ${most.toFixed(1)}`, met: mine / peer <= most, note: `peer: writing the Frame as JSON once; medians of ${ROUNDS} x ${FRAMES} Frames` };
  });
}
