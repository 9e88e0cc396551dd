/**
 * What the cluster's view costs: taking in the Frames of so many nodes and putting them together, each tick, on the one
 * thread that also draws. The peer is the same number of Frames parsed from JSON, which the view cannot do without either.
 */
import { Feed } from '../src/cluster/feed.ts';
import { mergeFrames } from '../src/cluster/merge.ts';
import type { Frame } from '../src/frame/frame.ts';
import { FakeNode } from '../test/ui/fixtures.ts';
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
}

function measure(count: number): { readonly ticks: readonly Tick[]; readonly rows: number; readonly heapMiB: number } {
  const nodes = Array.from({ length: count }, (_, i) => new FakeNode({ seed: i + 1, containers: CONTAINERS, events: 40 }));
  const feeds = nodes.map((_, i) => new Feed(`worker-${i}`));
  const ticks: Tick[] = [];
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
    ticks.push({ parseMs: parsed - start, takeMs: taken - parsed, mergeMs: performance.now() - taken });
    rows = Object.values(merged.panes).reduce((sum, pane) => sum + pane.rows.length, 0);
  }
  globalThis.gc?.();
  const heapMiB = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  // Held until here.
  if (merged === null) throw new Error('nothing was merged');
  return { ticks: ticks.slice(WARM), rows, heapMiB };
}

export async function run(): Promise<readonly BenchRow[]> {
  return NODES.map((count): BenchRow => {
    const { ticks, rows, heapMiB } = measure(count);
    const ours = median(ticks.map(({ takeMs, mergeMs }) => takeMs + mergeMs)), peer = median(ticks.map(({ parseMs }) => parseMs));
    const merge = median(ticks.map(({ mergeMs }) => mergeMs));
    return {
      name: `cluster of ${count} nodes with ${CONTAINERS} containers: take in and merge, ms per tick`, ours, peer, ratio: ours / peer, aim: '< 1', met: ours < peer,
      note: `peer: JSON.parse of the same Frames; ${rows} rows a tick, of it the merge alone ${merge.toFixed(1)} ms${globalThis.gc === undefined ? '' : `, ${Math.round(heapMiB)} MiB held`}`,
    };
  });
}
