/** What must be told exactly once, however often a node's Frame is shown: rows of streams, losses, names that came late. Pure. */
import { type Loss, NO_LOSS, type PaneId } from '../frame/frame.ts';
import { PANES, PANE_IDS } from '../frame/panes/index.ts';
import type { AnyPane, NodeFrame } from './on-node.ts';

/** Rows of one stream of one node that a Frame holds at most: more than any node's budget for an interval of ten seconds. */
export const MOST_EVENTS = 4000;

const LOSSES = Object.keys(NO_LOSS) as readonly (keyof Loss)[];

export const sumLoss = (all: readonly Loss[]): Loss => Object.fromEntries(LOSSES.map((key) => [key, all.reduce((sum, loss) => sum + (loss[key] ?? 0), 0)])) as unknown as Loss;

const isStream = (id: PaneId): boolean => PANES[id].kind === 'stream';

function mapPanes(frame: NodeFrame, change: (id: PaneId, pane: AnyPane) => AnyPane): NodeFrame {
  const panes = Object.fromEntries(PANE_IDS.flatMap((id) => {
    const pane = frame.panes[id];
    return pane === undefined ? [] : [[id, change(id, pane)]];
  }));
  return { ...frame, panes };
}

/** `frame` with what was told by one that is not shown itself. What is too much is counted as left out by a budget. */
export function withEventsOf(skipped: NodeFrame, frame: NodeFrame): NodeFrame {
  const whole = mapPanes(frame, (id, pane) => {
    const before = skipped.panes[id];
    if (before === undefined) return pane;
    const loss = sumLoss([before.loss, pane.loss]);
    if (!isStream(id)) return { ...pane, loss };
    const rows = [...before.rows, ...pane.rows];
    const excess = Math.max(0, rows.length - MOST_EVENTS);
    return { ...pane, rows: excess > 0 ? rows.slice(excess) : rows, loss: { ...loss, kept: Math.max(0, loss.kept - excess), overBudget: loss.overBudget + Math.min(excess, loss.kept) } };
  });
  return { ...whole, learned: { ...skipped.learned, ...skipped.containers, ...frame.learned } };
}

/** A Frame that is shown once more: rates go on, what has been told is not told again. */
export function withoutEvents(frame: NodeFrame): NodeFrame {
  return { ...mapPanes(frame, (id, pane) => ({ ...pane, loss: NO_LOSS, rows: isStream(id) ? [] : pane.rows })), learned: {} };
}
