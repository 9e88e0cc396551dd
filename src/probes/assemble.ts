/** One tick's numbers of all panes made into a Frame: joins the panes, resolves the keys, counts what has no name. Pure. */
import type { ChaosStatus, ContainerInfo, Frame, Loss, NodeInfo, PaneId, Panes, SelfCost } from '../frame/frame.ts';
import { SCHEMA } from '../frame/frame.ts';
import { keysOf } from '../frame/references.ts';
import type { CgroupKey } from '../identity/key.ts';
import { joinTotals } from './containers.ts';
import type { ProbeTick } from './probe.ts';

export type Ticks = { readonly [P in PaneId]: ProbeTick<P> };
/** The interval of each pane, milliseconds: shorter than the Frame's for a pane that came up in it. */
export type PaneMs = { readonly [P in PaneId]: number };

/** Ticks with the other panes' totals written into the containers' rows. */
export function joined(ticks: Ticks, ms: PaneMs): Ticks {
  if (ticks.containers.state.status !== 'ok') return ticks;
  const ok = <P extends PaneId>(tick: ProbeTick<P>): ProbeTick<P> | null => (tick.state.status === 'ok' ? tick : null);
  const others = { syscalls: ok(ticks.syscalls), runqueue: ok(ticks.runqueue), opens: ok(ticks.opens), tcp: ok(ticks.tcp) };
  const seconds = { syscalls: ms.syscalls / 1000, runqueue: ms.runqueue / 1000, opens: ms.opens / 1000, tcp: ms.tcp / 1000 };
  return { ...ticks, containers: { ...ticks.containers, rows: joinTotals(ticks.containers.rows, others, seconds) } };
}

/** Events of a pane whose cgroup has no known path. */
function unattributed(pane: PaneId, tick: ProbeTick, unknown: ReadonlySet<CgroupKey>): number {
  if (unknown.size === 0) return 0;
  const counted = tick.totals && tick.totals.length > 0 ? tick.totals : pane === 'syscalls' || pane === 'runqueue' ? tick.rows : null;
  let sum = 0;
  for (const row of counted ?? tick.rows) {
    if (unknown.has(row.container)) sum += counted && 'count' in row ? row.count : 1;
  }
  return sum;
}

function ratePerSec(tick: ProbeTick, ms: number): number {
  if (ms <= 0) return 0;
  return ((tick.totals ?? []).reduce((sum, total) => sum + total.count, 0) / ms) * 1000;
}

export interface FrameParts {
  readonly seq: number;
  /** End of the interval. */
  readonly time: Date;
  readonly intervalMs: number;
  readonly node: NodeInfo;
  readonly self: SelfCost;
  /** After joined(). */
  readonly ticks: Ticks;
  readonly ms: PaneMs;
  /** Who a key is; asked once per key. */
  readonly info: (key: CgroupKey) => ContainerInfo;
  /** Names that came late; see Frame.learned. */
  readonly learned: ReadonlyMap<CgroupKey, ContainerInfo>;
  /** Faults that are armed. */
  readonly chaos?: readonly ChaosStatus[];
}

export function assemble({ seq, time, intervalMs, node, self, ticks, ms, info, learned, chaos = [] }: FrameParts): Frame {
  const containers: Record<CgroupKey, ContainerInfo> = {};
  const unknown = new Set<CgroupKey>();
  for (const key of keysOf(ticks)) {
    const one = info(key);
    containers[key] = one;
    if (one.cgroup === null) unknown.add(key);
  }
  const loss = (pane: PaneId): Loss => ({ ...ticks[pane].loss, unattributed: unattributed(pane, ticks[pane], unknown) });
  const panes: Panes = {
    syscalls: { state: ticks.syscalls.state, loss: loss('syscalls'), rows: ticks.syscalls.rows },
    runqueue: { state: ticks.runqueue.state, loss: loss('runqueue'), rows: ticks.runqueue.rows },
    opens: { state: ticks.opens.state, loss: loss('opens'), ratePerSec: ratePerSec(ticks.opens, ms.opens), rows: ticks.opens.rows, totals: ticks.opens.totals ?? [] },
    tcp: { state: ticks.tcp.state, loss: loss('tcp'), ratePerSec: ratePerSec(ticks.tcp, ms.tcp), rows: ticks.tcp.rows, totals: ticks.tcp.totals ?? [] },
    containers: { state: ticks.containers.state, loss: loss('containers'), rows: ticks.containers.rows },
    processes: { state: ticks.processes.state, loss: loss('processes'), rows: ticks.processes.rows },
  };
  return { schema: SCHEMA, seq, time: time.toISOString(), intervalMs, node, containers, learned: Object.fromEntries([...learned].filter(([key]) => !(key in containers))), panes, chaos, self };
}
