/** Going back in time on a large node: how long a step takes, and for how long at a stretch it keeps everything else waiting. */
import type { Frame, Latency } from '../src/frame/frame.ts';
import type { BenchRow } from './bench.ts';
import { median } from './bench.ts';
import { MemoryTimeline } from '../src/session/recording/memory.ts';
import { History } from '../src/ui/history/history.ts';
import { Past } from '../src/ui/travel/past.ts';
import { FakeNode } from '../test/ui/fixtures.ts';

const CONTAINERS = 100;
const FRAMES = 420;
const STEPS = 100;

const timed = (work: () => void): number => {
  const from = performance.now();
  work();
  return performance.now() - from;
};

const percentile = (values: readonly number[], share: number): number => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

/** Calls per container and buckets per latency as on a real node, where most containers are idle: the fixture's are all busy. */
const CALLS = 5;
const BUCKETS = 8;

function asReal(frame: Frame): Frame {
  const { panes } = frame;
  const light = (latency: Latency | null): Latency | null => latency && { ...latency, buckets: latency.buckets.slice(0, BUCKETS) };
  const calls = new Map<string, number>();
  const syscalls = panes.syscalls.rows.filter(({ container }) => {
    const n = (calls.get(container) ?? 0) + 1;
    calls.set(container, n);
    return n <= CALLS;
  });
  return { ...frame, panes: { ...panes, syscalls: { ...panes.syscalls, rows: syscalls.map((row) => ({ ...row, latency: light(row.latency) })) }, runqueue: { ...panes.runqueue, rows: panes.runqueue.rows.map((row) => ({ ...row, latency: light(row.latency) })) } } };
}

/** A live screen of some minutes, and what taking in one Frame costs it. */
function live(): { readonly memory: MemoryTimeline; readonly history: History; readonly tickMs: number } {
  const node = new FakeNode({ containers: CONTAINERS, events: 40 });
  const memory = new MemoryTimeline(), history = new History();
  const ticks: number[] = [];
  for (let i = 0; i < FRAMES; i++) {
    const frame = asReal(node.next());
    ticks.push(timed(() => {
      memory.push(frame);
      history.push(frame);
    }));
  }
  return { memory, history, tickMs: median(ticks) };
}

export async function run(): Promise<readonly BenchRow[]> {
  const { memory, history, tickMs } = live();
  const newest = memory.end - 1;
  let past: Past | null = null;
  const pauseMs = timed(() => { past = new Past(memory, newest, () => ({ index: newest, history })); });
  const at = past as unknown as Past;
  const steps: number[] = [], units: number[] = [];
  for (let i = 1; i <= STEPS; i++) {
    steps.push(timed(() => at.show(newest - i)));
  }
  const jumpMs = timed(() => at.show(memory.first + 60));
  let more = true;
  while (more) {
    const from = performance.now();
    more = at.work(false);
    units.push(performance.now() - from);
  }
  const done = units.reduce((a, b) => a + b, 0);
  const note = `${CONTAINERS} containers, ${FRAMES} Frames in memory; peer: what one live tick takes to be kept and taken in`;
  return [
    { name: 'step back in time, median, ms', ours: median(steps), peer: tickMs, ratio: median(steps) / tickMs, aim: '< 100 ms', met: median(steps) < 100, note: `${note}; p95 ${percentile(steps, 0.95).toFixed(0)} ms, longest ${Math.max(...steps).toFixed(0)} ms: it reads a block` },
    { name: 'pause, ms', ours: pauseMs, peer: tickMs, ratio: pauseMs / tickMs, aim: '< 100 ms', met: pauseMs < 100, note },
    { name: 'jump by minutes, ms', ours: jumpMs, peer: tickMs, ratio: jumpMs / tickMs, aim: 'shown', met: null, note: `${note}; charts are whole after ${done.toFixed(0)} ms more of work in slices` },
    { name: 'work at a stretch after a jump, median, ms', ours: median(units), peer: tickMs, ratio: median(units) / tickMs, aim: 'shown', met: null, note: `${note}; longest ${Math.max(...units).toFixed(0)} ms: it reads a block` },
  ];
}
