/** The nodes of a Frame of several, in a few words. */
import type { NodeState, NodeStatus } from './frame.ts';

/** From the worst to the best. */
const STATES: readonly NodeState[] = ['refused', 'lost', 'late', 'connecting', 'ok'];

/** "5 nodes, 1 lost, 2 late". */
export function nodesText(nodes: readonly NodeStatus[]): string {
  const not = STATES.filter((state) => state !== 'ok').flatMap((state) => {
    const count = nodes.filter((node) => node.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return [`${nodes.length} node${nodes.length === 1 ? '' : 's'}`, ...not].join(', ');
}

/** The worst state that a node is in. */
export const worstState = (nodes: readonly NodeStatus[]): NodeState => STATES.find((state) => nodes.some((node) => node.state === state)) ?? 'ok';

/** How far the clocks are apart, those of the nodes and the one here, milliseconds. */
export function clockSpread(nodes: readonly NodeStatus[]): number {
  const skews = nodes.flatMap(({ skewMs }) => (skewMs === null ? [] : [skewMs]));
  return Math.max(0, ...skews) - Math.min(0, ...skews);
}

/** A spread of less may come of the way. Milliseconds. */
export const NOTABLE_SPREAD_MS = 1000;

/** "clocks 12.3s apart"; null where they agree as far as can be told. */
export function clockText(nodes: readonly NodeStatus[]): string | null {
  const ms = clockSpread(nodes);
  return ms < NOTABLE_SPREAD_MS ? null : `clocks ${(ms / 1000).toFixed(1)}s apart`;
}
