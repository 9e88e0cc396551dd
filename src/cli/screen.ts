/** What the flags and the configuration mean to a screen. */
import type { PaneId } from '../frame/frame.ts';
import { paneDef, tableColumns } from '../output/any-pane.ts';
import type { UiOptions } from '../ui/options.ts';
import type { Scope } from '../ui/scope.ts';
import type { Settings } from './settings.ts';
import { version } from './version.ts';

/** As --color and --no-color say; null: neither. */
export const colorWish = (color: boolean | null): UiOptions['color'] => (color === null ? 'auto' : color ? 'always' : 'never');

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

/** What every screen is told, whatever it shows. */
export function screenOptions(settings: Settings): Pick<UiOptions, 'color' | 'ascii' | 'intervalMs' | 'readOnly' | 'scope' | 'saveDirectory' | 'version'> & { readonly sort: NonNullable<UiOptions['sort']> } {
  const { color, ascii, intervalMs, readOnly } = settings;
  return { color: colorWish(color), ascii, intervalMs, readOnly, scope: scopeOf(settings), sort: sortOf(settings), saveDirectory: process.cwd(), version: version() };
}
