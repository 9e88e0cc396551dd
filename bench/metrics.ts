/**
 * What metrics cost on a node with 1,000 containers: adding a Frame up, and a scrape of it, against the text that a
 * snapshot of the same Frame writes. And what a second scraper costs.
 */
import type { Frame, Latency, SyscallRow } from '../src/frame/frame.ts';
import { HIST_BUCKETS, latencyOf } from '../src/frame/histogram.ts';
import { openMetrics } from '../src/output/openmetrics.ts';
import { Accumulator } from '../src/session/metrics/accumulator.ts';
import { DEFAULT_MAX_SERIES } from '../src/session/metrics/index.ts';
import { Page } from '../src/session/metrics/page.ts';
import { FRAME, frameOf, info } from '../test/output/frames.ts';
import { type BenchRow, median } from './bench.ts';

const CONTAINERS = 1000;
const CALLS = 20;
const PAIRS = 15;

function latency(seed: number): Latency {
  const counts = Array.from({ length: HIST_BUCKETS }, (_, i) => (i >= 8 && i < 28 ? (seed * (i + 7)) % 13 : 0));
  return latencyOf(counts, 1e6, 9e5, 1);
}

/** Every container makes twenty calls, of which one fails, waits for CPUs, opens files and connects. */
function busyFrame(seq: number): Frame {
  const keys = Array.from({ length: CONTAINERS }, (_, i) => `${i}`);
  const { syscalls, runqueue, opens, tcp, containers } = FRAME.panes;
  const calls = keys.flatMap((container, c) => Array.from({ length: CALLS }, (_, i): SyscallRow => (
    { container, abi: 'x86_64', nr: i, syscall: `call_${i}`, count: 10 + i, ratePerSec: 10, errors: i === 0 ? { ENOENT: 3 } : {}, injected: 0, latency: latency(c + i) })));
  const totals = keys.map((container) => ({ container, count: 5, errors: { ENOENT: 1 } }));
  return frameOf({
    syscalls: { ...syscalls, rows: calls },
    runqueue: { ...runqueue, rows: keys.map((container, c) => ({ container, count: 50, ratePerSec: 50, latency: latency(c), throttledPct: null, preemptedBy: [] })) },
    opens: { ...opens, totals }, tcp: { ...tcp, totals },
    containers: { ...containers, rows: keys.map((container) => ({ ...containers.rows[0]!, container, memoryBytes: 1e6 })) },
  }, {
    seq, time: new Date(seq * 1000).toISOString(),
    containers: Object.fromEntries(keys.map((key) => [key, info({ kind: 'pod', namespace: `ns-${Number(key) % 20}`, pod: `web-${key}`, container: 'app' })])),
  });
}

function ms(task: () => void): number {
  const begin = performance.now();
  task();
  return performance.now() - begin;
}

export async function run(): Promise<readonly BenchRow[]> {
  const sums = new Accumulator({ version: 'bench', maxSeries: DEFAULT_MAX_SERIES, keepMs: 300_000 });
  const page = new Page((format) => sums.text(format));
  const adds: number[] = [], scrapes: number[] = [], seconds: number[] = [], snapshots: number[] = [], ratios: number[] = [], sizes: number[] = [];
  const interleaved = Array.from({ length: PAIRS + 2 }, (_, i) => i);
  for (const i of interleaved) {
    const frame = busyFrame(i);
    const add = ms(() => { sums.add(frame); page.renew(); });
    const scrape = ms(() => page.plain('openmetrics'));
    const second = ms(() => page.plain('openmetrics'));
    const snapshot = ms(() => openMetrics(frame));
    // The first ones compile.
    if (i < 2) continue;
    adds.push(add);
    scrapes.push(scrape);
    seconds.push(second);
    snapshots.push(snapshot);
    ratios.push((add + scrape) / snapshot);
    sizes.push(page.plain('openmetrics').length);
  }
  const note = `peer: snapshot -o prometheus of the same Frame; ${CONTAINERS} containers, ${CALLS} calls each, at most ${DEFAULT_MAX_SERIES} series per metric; ${PAIRS} interleaved pairs`;
  const ratio = median(ratios);
  return [
    { name: 'metrics: a Frame added up and scraped once, ms', ours: median(adds) + median(scrapes), peer: median(snapshots), ratio, aim: '< 1', met: ratio < 1, note },
    { name: 'metrics: of that, the Frame added up, ms', ours: median(adds), peer: median(snapshots), ratio: median(adds) / median(snapshots), aim: 'none', met: null, note: 'paid at every Frame, also without a scraper' },
    { name: 'metrics: a second scrape of the Frame, ms', ours: median(seconds), peer: median(scrapes), ratio: median(seconds) / median(scrapes), aim: '< 0.01', met: median(seconds) / median(scrapes) < 0.01, note: `peer: the first one; the text has ${(median(sizes) / 2 ** 20).toFixed(1)} MiB` },
  ];
}
