/**
 * Keys of containers in Frames of several nodes: "4990@worker-1". Kernel ids are unique on one node only. Names of nodes
 * hold no @, and keys of groups begin with a letter, so the three kinds never meet.
 */
import type { Frame } from './frame.ts';

export const keyOn = (key: string, node: string): string => `${key}@${node}`;

/** "@worker-1"; '' for a key in a Frame of one node. */
export function nodeSuffix(key: string): string {
  const at = key.indexOf('@');
  return at < 0 ? '' : key.slice(at);
}

/** Name of a key's node; null in a Frame of one node. */
export function nodeOfKey(key: string): string | null {
  const at = key.indexOf('@');
  return at < 0 ? null : key.slice(at + 1);
}

/** Those of a Frame's rows that did not stand in the Frame before: whoever adds up Frames counts these. */
export function freshRows<Row extends { readonly container: string }>({ nodes }: Frame, rows: readonly Row[]): readonly Row[] {
  const repeated = new Set(nodes?.flatMap((node) => (node.repeated ? [node.name] : [])));
  return repeated.size === 0 ? rows : rows.filter(({ container }) => !repeated.has(nodeOfKey(container) ?? ''));
}

/** Length of the interval that the counts of a container are over, milliseconds. */
export function intervalsOf({ nodes, intervalMs }: Frame): (key: string) => number {
  if (nodes === undefined) return () => intervalMs;
  const own = new Map(nodes.map((node) => [node.name, node.intervalMs ?? intervalMs]));
  return (key) => own.get(nodeOfKey(key) ?? '') ?? intervalMs;
}
