/** Which containers rows refer to, for any pane. */
import type { PaneId } from './frame.ts';
import { PANES, PANE_IDS } from './panes/index.ts';

interface Row { readonly container: string }

/** A pane's rows and totals, as far as they refer to containers. */
export interface Referring {
  readonly rows: readonly Row[];
  readonly totals?: readonly Row[];
}

type Rekey = (row: Row, replace: (key: string) => string) => Row;

/** The row with every key in it replaced. */
export function withKeys<R extends Row>(pane: PaneId, row: R, replace: (key: string) => string): R {
  const own = { ...row, container: replace(row.container) };
  // The definition takes the rows of its own pane, which these are.
  return ((PANES[pane] as { readonly withKeys?: Rekey }).withKeys?.(own, replace) ?? own) as R;
}

/** Every key that a row or total of these panes refers to. */
export function keysOf(panes: { readonly [P in PaneId]: Referring }): Set<string> {
  const keys = new Set<string>();
  const add = (key: string): string => {
    keys.add(key);
    return key;
  };
  for (const id of PANE_IDS) for (const row of panes[id].rows) keys.add(row.container);
  for (const id of PANE_IDS) {
    const others = (PANES[id] as { readonly withKeys?: Rekey }).withKeys;
    if (others !== undefined) for (const row of panes[id].rows) others(row, add);
  }
  for (const id of PANE_IDS) for (const total of panes[id].totals ?? []) keys.add(total.container);
  return keys;
}
