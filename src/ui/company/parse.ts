/** A shared view from another program: every field is checked, and one that is wrong is as if it had not been told. */
import type { PaneId } from '../../frame/frame.ts';
import { GROUPS } from '../../frame/grouping.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { sortable } from '../commands/find.ts';
import { LAYOUTS } from '../layout.ts';
import { paneOf } from '../rows.ts';
import { parseTravel } from '../travel/shared.ts';
import { COMM_LENGTH, ID_LENGTH, LABEL_LENGTH, type Place } from './place.ts';
import type { OverlayView, SettingView, StepView, View } from './view.ts';

/** Longest texts that are taken, in characters. */
const MAX = { id: ID_LENGTH, label: LABEL_LENGTH, comm: COMM_LENGTH, filter: 200, row: 256 } as const;
const MAX_STEPS = 50;
const MAX_PID = 2 ** 22;
/** More rows than any pane has. */
const MAX_INDEX = 1e6;

type Raw = Readonly<Record<string, unknown>>;

const recordOf = (raw: unknown): Raw | null => (typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? (raw as Raw) : null);

// Undefined: not told, or wrong.
const textOf = (raw: unknown, most: number): string | undefined => (typeof raw === 'string' && raw.length <= most ? raw : undefined);
const countOf = (raw: unknown, most: number): number | undefined => (typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw <= most ? raw : undefined);
const flagOf = (raw: unknown): boolean | undefined => (typeof raw === 'boolean' ? raw : undefined);
const idOf = (raw: unknown): PaneId | undefined => PANE_IDS.find((id) => id === raw);
/** Null stays null. */
const orNull = <T>(raw: unknown, read: (raw: unknown) => T | undefined): T | null | undefined => (raw === null ? null : read(raw));

/** Without what is undefined. */
const told = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };

function placeIn(raw: unknown): Place | undefined {
  const record = recordOf(raw);
  const level = GROUPS.find((one) => one === record?.['level']);
  const id = textOf(record?.['id'], MAX.id), label = textOf(record?.['label'], MAX.label);
  if (record === null || level === undefined || id === undefined || label === undefined) return undefined;
  if (record['process'] === null) return { level, id, label, process: null };
  const process = recordOf(record['process']);
  const pid = countOf(process?.['pid'], MAX_PID), comm = orNull(process?.['comm'], (one) => textOf(one, MAX.comm));
  if (level !== 'container' || comm === undefined || pid === undefined) return undefined;
  return { level, id, label, process: { pid, comm } };
}

const CALL = /^\w{1,16} (?:-1|\d{1,4})$/;
const callIn = (raw: unknown): string | undefined => (typeof raw === 'string' && CALL.test(raw) ? raw : undefined);

function sortIn(id: PaneId, raw: unknown): SettingView['sort'] | undefined {
  const record = recordOf(raw);
  const column = sortable(paneOf(id)).find((one) => one.id === record?.['column'])?.id, descending = flagOf(record?.['descending']);
  return column === undefined || descending === undefined ? undefined : { column, descending };
}

function settingIn(id: PaneId, raw: unknown): SettingView {
  const record = recordOf(raw) ?? {};
  return told({
    sort: sortIn(id, record['sort']),
    filter: orNull(record['filter'], (one) => textOf(one, MAX.filter)),
    errorsOnly: flagOf(record['errorsOnly']),
    grouping: paneOf(id).groupings?.find((one) => one.id === record['grouping'])?.id,
    selected: orNull(record['selected'], (one) => textOf(one, MAX.row)),
    index: countOf(record['index'], MAX_INDEX),
  });
}

function panesIn(raw: unknown): View['panes'] {
  const record = recordOf(raw) ?? {};
  return Object.fromEntries(PANE_IDS.filter((id) => recordOf(record[id]) !== null).map((id) => [id, settingIn(id, record[id])]));
}

function stepIn(raw: unknown): StepView[] {
  const record = recordOf(raw);
  if (record === null) return [];
  const scope = orNull(record['scope'], placeIn), breakdown = orNull(record['breakdown'], callIn), focus = orNull(record['focus'], idOf), zoomed = flagOf(record['zoomed']);
  // A step that is not whole would lead back to where nobody has been.
  return scope === undefined || breakdown === undefined || focus === undefined || zoomed === undefined ? [] : [{ scope, breakdown, focus, zoomed, panes: panesIn(record['panes']) }];
}

function overlayIn(raw: unknown): OverlayView | undefined {
  const record = recordOf(raw);
  if (record?.['kind'] === 'help') return { kind: 'help' };
  const pane = idOf(record?.['pane']), row = textOf(record?.['row'], MAX.row);
  return record?.['kind'] !== 'details' || pane === undefined || row === undefined ? undefined : { kind: 'details', pane, row };
}

const listOf = <T>(raw: unknown, most: number, read: (raw: unknown) => readonly T[]): T[] | undefined => (Array.isArray(raw) ? raw.slice(-most).flatMap(read) : undefined);

function frontsIn(raw: unknown): PaneId[] | undefined {
  const ids = listOf(raw, PANE_IDS.length, (one) => [idOf(one)].filter((id) => id !== undefined));
  return ids && [...new Set(ids)];
}

/** Null: it is no view at all. */
export function parseView(raw: unknown): View | null {
  const record = recordOf(raw);
  if (record === null) return null;
  const layout = LAYOUTS.findIndex(({ name }) => name === record['layout']);
  return {
    ...told({
      focus: idOf(record['focus']), fronts: frontsIn(record['fronts']), zoomed: flagOf(record['zoomed']), layout: layout < 0 ? undefined : layout,
      totals: flagOf(record['totals']), heatMap: flagOf(record['heatMap']),
      scope: orNull(record['scope'], placeIn), breakdown: orNull(record['breakdown'], callIn), trail: listOf(record['trail'], MAX_STEPS, stepIn),
      overlay: orNull(record['overlay'], overlayIn), time: parseTravel(record['time']),
    }),
    panes: panesIn(record['panes']), chaos: record['chaos'] === true, base: textOf(record['base'], MAX.label) ?? null,
  };
}
