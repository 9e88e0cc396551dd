/**
 * Frames of several nodes as one (see Frame.nodes). Each node's numbers stay as they are, over its own interval and by its
 * own clock: nothing is scaled, shifted or averaged, and whoever needs to know asks src/frame/node-key.ts. Pure.
 */
import { type Frame, type NodeInfo, type NodeStatus, type PaneId, type Panes, SCHEMA, type SelfCost } from '../frame/frame.ts';
import { sumKnown } from '../frame/grouping.ts';
import { PANES, PANE_IDS } from '../frame/panes/index.ts';
import { sumLoss, withoutEvents } from './events.ts';
import type { AnyPane, AnyRow, NodeFrame } from './on-node.ts';
import { mergeStates } from './pane-state.ts';

/** What there is of one node at a tick. */
export interface NodePart {
  readonly status: NodeStatus;
  /** Null: it has nothing to show. */
  readonly frame: NodeFrame | null;
}

export interface ClusterTick {
  /** What the cluster is called, for people. Raw. */
  readonly name: string;
  readonly seq: number;
  /** End of the interval, by the clock here. */
  readonly time: Date;
  readonly intervalMs: number;
}

interface Told {
  readonly node: string;
  readonly frame: NodeFrame;
}

/** The one text that all have, or how many there are. */
function common(texts: readonly string[], things: string): string {
  const all = [...new Set(texts)];
  return all.length <= 1 ? all[0] ?? '' : `${all.length} ${things}`;
}

/** The value that most have; of several the first. */
function most<T>(values: readonly T[]): T | undefined {
  const counts = Map.groupBy(values, (value) => value);
  return [...counts].reduce<readonly [T, T[]] | undefined>((a, b) => (a !== undefined && a[1].length >= b[1].length ? a : b), undefined)?.[0];
}

function mergeNodes(name: string, all: readonly NodeInfo[]): NodeInfo {
  return {
    name, kernel: common(all.map(({ kernel }) => kernel), 'kernels'), arch: [...new Set(all.map(({ arch }) => arch))].join(', '),
    cpus: all.reduce((sum, { cpus }) => sum + cpus, 0), cgroupMode: most(all.map(({ cgroupMode }) => cgroupMode)) ?? 'v2',
  };
}

const mergeSelves = (all: readonly SelfCost[]): SelfCost => ({
  cpuPct: sumKnown(all, ({ cpuPct }) => cpuPct), bpfCpuPct: sumKnown(all, ({ bpfCpuPct }) => bpfCpuPct), rssBytes: sumKnown(all, ({ rssBytes }) => rssBytes),
});

/** ISO 8601 in UTC sorts as text. */
function byTime(a: AnyRow, b: AnyRow): number {
  const { time: x = '' } = a as { readonly time?: string }, { time: y = '' } = b as { readonly time?: string };
  return x < y ? -1 : x > y ? 1 : 0;
}

function mergePane(id: PaneId, told: readonly Told[]): AnyPane {
  const panes = told.flatMap(({ node, frame }) => {
    const pane = frame.panes[id];
    return pane === undefined ? [] : [{ node, pane }];
  });
  const missing = told.filter(({ frame }) => frame.panes[id] === undefined);
  const state = mergeStates([
    ...panes.map(({ node, pane }) => ({ node, state: pane.state })),
    ...missing.map(({ node }) => ({ node, state: { status: 'off' as const, reason: 'kbtop there has no such pane', level: null } })),
  ]);
  const stream = PANES[id].kind === 'stream';
  const rows = panes.flatMap(({ pane }) => pane.rows);
  if (stream) rows.sort(byTime);
  return {
    state, loss: sumLoss(panes.map(({ pane }) => pane.loss)), rows,
    ...(stream && { ratePerSec: panes.reduce((sum, { pane }) => sum + (pane.ratePerSec ?? 0), 0), totals: panes.flatMap(({ pane }) => pane.totals ?? []) }),
  };
}

function mergePanes(told: readonly Told[]): Panes {
  return Object.fromEntries(PANE_IDS.map((id) => [id, mergePane(id, told)])) as unknown as Panes;
}

/** @param parts each node once, those that are not heard of among them */
export function mergeFrames(parts: readonly NodePart[], { name, seq, time, intervalMs }: ClusterTick): Frame {
  const told = parts.flatMap(({ status, frame }): Told[] => (frame === null ? [] : [{ node: status.name, frame: status.repeated ? withoutEvents(frame) : frame }]));
  const containers = Object.assign({}, ...told.map(({ frame }) => frame.containers)) as Frame['containers'];
  const learned = Object.fromEntries(told.flatMap(({ frame }) => Object.entries(frame.learned).filter(([key]) => !(key in containers))));
  return {
    schema: SCHEMA, seq, time: time.toISOString(), intervalMs, node: mergeNodes(name, told.map(({ frame }) => frame.node)), containers, learned,
    panes: mergePanes(told), chaos: told.flatMap(({ frame }) => frame.chaos), self: mergeSelves(told.map(({ frame }) => frame.self)),
    nodes: parts.map(({ status }) => status).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
  };
}
