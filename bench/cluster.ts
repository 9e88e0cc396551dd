/**
 * What the cluster's view costs: taking in the Frames of so many nodes and putting them together, then remembering and
 * drawing them, each tick, all on one thread. The peer is the same Frames parsed from JSON, which no view can do without.
 */
import { Feed } from '../src/cluster/feed.ts';
import { mergeFrames } from '../src/cluster/merge.ts';
import type { Frame } from '../src/frame/frame.ts';
import { History } from '../src/ui/history/history.ts';
import { drawScreen } from '../src/ui/screen.ts';
import { FakeNode } from '../test/ui/fixtures.ts';
import { emptyState } from '../test/ui/states.ts';
import { type BenchRow, median } from './bench.ts';

const NODES = [10, 100] as const;
const CONTAINERS = 50;
const TICKS = 15;
/** The first ones are compiled and measured in the same go. */
const WARM = 5;

interface Tick {
  readonly takeMs: number;
  readonly mergeMs: number;
  readonly parseMs: number;
  readonly showMs: number;
}

function measure(count: number): { readonly ticks: readonly Tick[]; readonly rows: number; readonly heapMiB: number } {
  const nodes = Array.from({ length: count }, (_, i) => new FakeNode({ seed: i + 1, containers: CONTAINERS, events: 40 }));
  const feeds = nodes.map((_, i) => new Feed(`worker-${i}`));
  const ticks: Tick[] = [];
  const history = new History();
  let rows = 0, merged: Frame | null = null;
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let tick = 0; tick < TICKS; tick++) {
    const texts = nodes.map((node) => JSON.stringify(node.next()));
    const now = { mono: tick * 1000, wall: Date.now() };
    const start = performance.now();
    const frames = texts.map((text) => JSON.parse(text) as Frame);
    const parsed = performance.now();
    for (const [i, frame] of frames.entries()) feeds[i]?.push(frame, now);
    const taken = performance.now();
    merged = mergeFrames(feeds.map((feed) => feed.take(now)), { name: 'bench', seq: tick + 1, time: new Date(now.wall), intervalMs: 1000 });
    const together = performance.now();
    history.push(merged);
    drawScreen({ ...emptyState(), size: { width: 160, height: 45 }, shown: { frame: merged, history } });
    ticks.push({ parseMs: parsed - start, takeMs: taken - parsed, mergeMs: together - taken, showMs: performance.now() - together });
    rows = Object.values(merged.panes).reduce((sum, pane) => sum + pane.rows.length, 0);
  }
  globalThis.gc?.();
  const heapMiB = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  // Held until here.
  if (merged === null) throw new Error('nothing was merged');
  return { ticks: ticks.slice(WARM), rows, heapMiB };
}

export async function run(): Promise<readonly BenchRow[]> {
  return NODES.flatMap((count): BenchRow[] => {
    const { ticks, rows, heapMiB } = measure(count);
    const of = (value: (tick: Tick) => number): number => median(ticks.map(value));
    const peer = of(({ parseMs }) => parseMs), taken = of(({ takeMs, mergeMs }) => takeMs + mergeMs), shown = of(({ showMs }) => showMs);
    const held = globalThis.gc === undefined ? '' : `, ${Math.round(heapMiB)} MiB of heap`;
    const what = `cluster of ${count} nodes with ${CONTAINERS} containers`;
    return [
      { name: `${what}: take in and merge, ms per tick`, ours: taken, peer, ratio: taken / peer, aim: '< 1', met: taken < peer, note: `peer: JSON.parse of the same Frames; ${rows} rows a tick, of it the merge alone ${of(({ mergeMs }) => mergeMs).toFixed(1)} ms` },
      { name: `${what}: remember and draw, ms per tick`, ours: shown, peer, ratio: shown / peer, aim: 'none', met: null, note: `the same peer; what any Frame of so many rows costs${held}` },
    ];
  });
}
