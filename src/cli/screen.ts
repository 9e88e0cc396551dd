/** What the flags and the configuration mean to a screen. */
import type { PaneId } from '../frame/frame.ts';
import { paneDef, tableColumns } from '../output/any-pane.ts';
import type { UiOptions } from '../ui/options.ts';
import type { Scope } from '../ui/scope.ts';
import type { Settings } from './settings.ts';

/** What was asked for as the screen's limits. */
export function scopeOf({ target }: Settings): Scope | null {
  return target === null ? null : { label: target.label, only: null, matches: target.matches };
}

/** The configured orders by columns that are on the screen. */
export function sortOf({ config }: Settings): NonNullable<UiOptions['sort']> {
  return Object.fromEntries(Object.entries(config.sort)
    .filter(([id, { column }]) => tableColumns(paneDef(id as PaneId)).includes(column))
    .map(([id, { column, descending }]) => [id, { column: column.id, descending }]));
}
