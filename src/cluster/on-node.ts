/** A node's own Frame as part of a cluster's: every key under the node's name, every container knows its node. Pure. */
import type { ChaosStatus, ContainerInfo, Frame, Pane, PaneId, StreamPane, StreamTotal } from '../frame/frame.ts';
import { keyOn } from '../frame/node-key.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import { withKeys } from '../frame/references.ts';

/** Rows of any pane. */
export interface AnyRow { readonly container: string }
export type AnyPane = Pane<AnyRow> & Partial<Pick<StreamPane<AnyRow>, 'ratePerSec' | 'totals'>>;

/** What a cluster's Frame takes of one node's. A pane that the node's kbtop does not have is missing. */
export interface NodeFrame extends Pick<Frame, 'time' | 'intervalMs' | 'node' | 'containers' | 'learned' | 'chaos' | 'self'> {
  readonly panes: { readonly [P in PaneId]?: AnyPane };
}

/** @throws whatever a Frame that is none makes it throw: it may come from another version of kbtop */
export function onNode(frame: Frame, node: string): NodeFrame {
  if (Number.isNaN(Date.parse(frame.time))) throw new TypeError('it has no time');
  // Each key is made once and shared by all rows that have it.
  const keys = new Map<string, string>();
  const rekey = (key: string): string => {
    let own = keys.get(key);
    if (own === undefined) keys.set(key, own = keyOn(key, node));
    return own;
  };
  const infos = (containers: Frame['containers']): Record<string, ContainerInfo> =>
    Object.fromEntries(Object.entries(containers).map(([key, info]) => [rekey(key), { ...info, node }]));
  const total = (one: StreamTotal): StreamTotal => ({ ...one, container: rekey(one.container) });
  const pane = (id: PaneId): AnyPane => {
    const whole: AnyPane = frame.panes[id];
    if (typeof whole.state.status !== 'string' || typeof whole.loss.seen !== 'number') throw new TypeError(`${id} is no pane`);
    return { ...whole, rows: whole.rows.map((row) => withKeys(id, row, rekey)), ...(whole.totals !== undefined && { totals: whole.totals.map(total) }) };
  };
  const fault = (one: ChaosStatus): ChaosStatus => ({ ...one, node, target: one.target === '' ? '' : rekey(one.target), targets: one.targets.map(rekey) });
  return {
    time: frame.time, intervalMs: frame.intervalMs, node: frame.node, self: frame.self,
    containers: infos(frame.containers), learned: infos(frame.learned), chaos: frame.chaos.map(fault),
    panes: Object.fromEntries(PANE_IDS.filter((id) => id in frame.panes).map((id) => [id, pane(id)])),
  };
}
