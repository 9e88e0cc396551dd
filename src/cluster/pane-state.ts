/** The states of one pane on several nodes as one. Pure. */
import type { Level, PaneState } from '../frame/frame.ts';

/** From the poorest. */
const LEVELS: readonly Level[] = ['count', 'sampled', 'latency'];
/** Names and reasons that one line holds; the others are counted. */
const MOST_NAMES = 3;
const MOST_REASONS = 2;

const counted = (things: readonly string[], most: number, separator: string): string =>
  things.length <= most ? things.join(separator) : `${things.slice(0, most).join(separator)}${separator}${things.length - most} more`;

interface OfNode {
  readonly node: string;
  readonly state: PaneState;
}

/** "worker-1, worker-2: no BTF; worker-3: off"; the nodes of one reason together. */
function told(some: readonly OfNode[]): string {
  const reasons = Map.groupBy(some, ({ state }) => state.reason ?? `it is ${state.status}`);
  return counted(Array.from(reasons, ([reason, nodes]) => `${counted(nodes.map(({ node }) => node), MOST_NAMES, ', ')}: ${reason}`), MOST_REASONS, '; ');
}

/** Ok where any node's is; the reason names the nodes that lack it or measure less, unless all say the same. */
export function mergeStates(all: readonly OfNode[]): PaneState {
  const up = all.filter(({ state }) => state.status === 'ok');
  const [first] = all;
  if (first === undefined) return { status: 'loading', reason: 'no node has told anything yet', level: null };
  if (all.every(({ state }) => state.status === first.state.status && state.reason === first.state.reason && state.level === first.state.level)) return first.state;
  if (up.length === 0) {
    const status = (['loading', 'error', 'off'] as const).find((one) => all.some(({ state }) => state.status === one)) ?? 'error';
    return { status, reason: told(all), level: null };
  }
  const down = all.filter(({ state }) => state.status !== 'ok');
  const less = up.filter(({ state }) => state.reason !== null);
  const reasons = [...(down.length > 0 ? [`not on ${told(down)}`] : []), ...(less.length > 0 ? [told(less)] : [])];
  return { status: 'ok', reason: reasons.join('; ') || null, level: LEVELS.find((level) => up.some(({ state }) => state.level === level)) ?? null };
}
