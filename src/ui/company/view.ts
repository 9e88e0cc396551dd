/**
 * What of a screen others follow: what is looked at, not how it fits on this terminal. Windows, scrolled columns, open
 * menus and half-typed filters stay where they are.
 */
import type { SharedView } from '../../frame/company.ts';
import type { PaneId } from '../../frame/frame.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { LAYOUTS } from '../layout.ts';
import type { PaneSetting, State, Step } from '../model.ts';
import type { ViewRow } from '../rows.ts';
import { paneOf } from '../rows.ts';
import { paneView } from '../view.ts';
import { type TravelView, travelView } from '../travel/shared.ts';
import { LABEL_LENGTH, type Place, placeOf } from './place.ts';

/** Absent: not told, so not touched. */
export interface SettingView {
  readonly sort?: PaneSetting['sort'];
  /** As it was typed; null: none. */
  readonly filter?: string | null;
  readonly errorsOnly?: boolean;
  readonly grouping?: string;
  /** Token of the selected row, see tokenOf; null: whichever is first. */
  readonly selected?: string | null;
  /** Where that row was last, when it is not there now. */
  readonly index?: number;
}

export interface StepView {
  readonly scope: Place | null;
  /** A call's key. */
  readonly breakdown: string | null;
  readonly focus: PaneId | null;
  readonly zoomed: boolean;
  /** Those that differ from the next step's, or, in the last one, from the view's. */
  readonly panes: Readonly<Partial<Record<PaneId, SettingView>>>;
}

export type OverlayView = { readonly kind: 'help' } | { readonly kind: 'details'; readonly pane: PaneId; readonly row: string };

/** A shared view after each of its fields was checked. */
export interface View {
  readonly focus?: PaneId;
  readonly fronts?: readonly PaneId[];
  readonly zoomed?: boolean;
  /** Index into LAYOUTS; shared by name. */
  readonly layout?: number;
  readonly totals?: boolean;
  readonly heatMap?: boolean;
  readonly scope?: Place | null;
  readonly breakdown?: string | null;
  readonly trail?: readonly StepView[];
  readonly panes: Readonly<Partial<Record<PaneId, SettingView>>>;
  readonly overlay?: OverlayView | null;
  readonly time?: TravelView;
  /** The panel of chaos is open there; what is in it is its owner's alone. */
  readonly chaos: boolean;
  /** What the driver's command line limits its screen to. Raw. */
  readonly base: string | null;
}

/** Characters that are shared of a row's key; those of events hold paths, but begin with what tells them apart. */
const TOKEN_LENGTH = 160;
/** Bytes of a whole view as JSON; sessions take 16 KiB. The oldest steps stay behind when they do not fit. */
const VIEW_BYTES = 14 * 1024;

/** What a row is called on every screen. Keys of events are serial numbers of one screen's own. */
export const tokenOf = (id: PaneId, { key, row }: ViewRow): string => (paneOf(id).kind === 'stream' ? paneOf(id).rowKey(row) : key).slice(0, TOKEN_LENGTH);

function selectedOf(state: State, id: PaneId): Pick<SettingView, 'selected' | 'index'> {
  const { selected, index } = state.panes[id];
  if (selected === null) return { selected };
  const row = paneView(state, id)?.rows.find(({ key }) => key === selected);
  if (row !== undefined) return { selected: tokenOf(id, row) };
  // Of an event that is gone from this screen nobody else knows by its key.
  return paneOf(id).kind === 'stream' ? {} : { selected: selected.slice(0, TOKEN_LENGTH), index };
}

const settingOf = ({ sort: { column, descending }, filter, errorsOnly, grouping }: PaneSetting): SettingView => ({ sort: { column, descending }, filter: filter?.text ?? null, errorsOnly, ...(grouping !== null && { grouping }) });

function panesOf(state: State): Record<string, SettingView> {
  return Object.fromEntries(PANE_IDS.map((id) => [id, { ...settingOf(state.panes[id]), ...selectedOf(state, id) }]));
}

/** Of a step, the panes that are not as after it. */
function changedPanes(before: Step['panes'], after: Step['panes']): Record<string, SettingView> {
  return Object.fromEntries(PANE_IDS.filter((id) => before[id] !== after[id]).flatMap((id) => {
    // Nothing steps back to an event.
    const of = (setting: PaneSetting): SettingView => (paneOf(id).kind === 'stream' ? settingOf(setting) : { ...settingOf(setting), selected: setting.selected?.slice(0, TOKEN_LENGTH) ?? null, index: setting.index });
    const wanted = of(before[id]);
    return JSON.stringify(wanted) === JSON.stringify(of(after[id])) ? [] : [[id, wanted] as const];
  }));
}

const stepOf = ({ scope, breakdown, focus, zoomed, panes }: Step, after: Step['panes']): StepView =>
  ({ scope: placeOf(scope), breakdown: breakdown?.key ?? null, focus, zoomed, panes: changedPanes(panes, after) });

function overlayOf(state: State): OverlayView | null {
  const { overlay } = state;
  if (overlay?.kind === 'help') return { kind: 'help' };
  if (overlay?.kind !== 'details') return null;
  // Its key is that of this screen alone where it is an event's.
  return { kind: 'details', pane: overlay.pane, row: tokenOf(overlay.pane, { key: overlay.key, row: overlay.row, members: [] }) };
}

/** What the screen shows, for others. */
export function viewOf(state: State): SharedView {
  const { focus, fronts, zoomed, layout, totals, heatMap, scope, breakdown, trail, panes, baseScope, chaos } = state;
  const view = {
    focus, fronts, zoomed, layout: LAYOUTS[layout]?.name ?? null, totals, heatMap, scope: placeOf(scope), breakdown: breakdown?.key ?? null,
    panes: panesOf(state), overlay: overlayOf(state), time: travelView(state), chaos: chaos?.panel != null, base: baseScope?.label.slice(0, LABEL_LENGTH) ?? null,
  };
  let steps = trail.map((step, i) => stepOf(step, trail[i + 1]?.panes ?? panes));
  const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
  let room = VIEW_BYTES - bytes(view);
  let kept = 0;
  for (const step of steps.toReversed()) {
    room -= bytes(step) + 1;
    if (room < 0) break;
    kept += 1;
  }
  steps = kept === 0 ? [] : steps.slice(-kept);
  return { ...view, trail: steps };
}
