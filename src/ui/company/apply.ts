/** Another's view on this screen: the same things, in this terminal's room. What is not the same is said in a note. */
import type { PaneId } from '../../frame/frame.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { syscallName } from '../../frame/syscall-names/index.ts';
import { followTop, selectRow } from '../commands/move.ts';
import { parseFilter } from '../filter.ts';
import type { Breakdown, PaneSetting, State, Step } from '../model.ts';
import { withPane } from '../model.ts';
import { paneOf } from '../rows.ts';
import { paneView } from '../view.ts';
import { driverOf, shortName } from './model.ts';
import { isStranger, rebuilder } from './place.ts';
import type { SettingView, StepView, View } from './view.ts';
import { tokenOf } from './view.ts';

type Note = (text: string) => void;

/** Calls by key; the same key gives the same value. */
function breakdowns(state: State): (key: string | null) => Breakdown | null {
  const made = [state.breakdown, ...state.trail.map(({ breakdown }) => breakdown)].filter((one) => one !== null);
  return (key) => {
    if (key === null) return null;
    const before = made.find((one) => one.key === key);
    if (before !== undefined) return before;
    const [abi = '', nr = ''] = key.split(' ');
    const breakdown = { key, label: syscallName(abi, Number(nr)) };
    made.push(breakdown);
    return breakdown;
  };
}

/** All but the selection: that is looked for among the rows that come of this. */
function settingWith(id: PaneId, before: PaneSetting, { sort, filter, errorsOnly, grouping }: SettingView, note: Note): PaneSetting {
  let kept = before.filter;
  if (filter !== undefined && filter !== (kept?.text ?? null)) {
    const parsed = filter === null ? { filter: null, error: null } : parseFilter(filter, paneOf(id).columns);
    if (parsed.error === null) kept = parsed.filter;
    else note(`the filter /${filter} of ${paneOf(id).title} is not understood here: ${parsed.error}`);
  }
  const same = sort === undefined || (sort.column === before.sort.column && sort.descending === before.sort.descending);
  const after = { ...before, sort: same ? before.sort : sort, filter: kept, errorsOnly: errorsOnly ?? before.errorsOnly, grouping: grouping ?? before.grouping };
  return same && kept === before.filter && after.errorsOnly === before.errorsOnly && after.grouping === before.grouping ? before : after;
}

function settingsWith(before: Step['panes'], views: View['panes'], note: Note): Step['panes'] {
  const settings = { ...before };
  let changed = false;
  for (const id of PANE_IDS) {
    const view = views[id];
    if (view === undefined) continue;
    settings[id] = settingWith(id, before[id], view, note);
    changed ||= settings[id] !== before[id];
  }
  return changed ? settings : before;
}

/** Mark the row that the driver has marked. */
function select(state: State, id: PaneId, { selected: token, index }: SettingView, note: Note): State {
  const { selected, index: last } = state.panes[id];
  if (token === undefined || (token === null && selected === null)) return state;
  if (token === null) return followTop(state, id);
  const rows = paneView(state, id)?.rows ?? [];
  if (selected !== null && rows.some((row) => row.key === selected && tokenOf(id, row) === token)) return state;
  const at = rows.findIndex((row) => tokenOf(id, row) === token);
  if (at >= 0) return selectRow(state, id, at);
  // A row that goes on may come back, and is marked then; an event does not.
  if (paneOf(id).kind === 'table') return selected === token && (index ?? last) === last ? state : withPane(state, id, { selected: token, index: index ?? last });
  if (id === state.focus) note(`the marked row of ${paneOf(id).title} is not on this screen`);
  return selected === null ? state : followTop(state, id);
}

/** Steps lead back from the newest: each tells what is not as after it. */
function trailWith(state: State, steps: readonly StepView[], scopeOf: ReturnType<typeof rebuilder>, breakdownOf: ReturnType<typeof breakdowns>): readonly Step[] {
  let after = state.panes;
  return steps.toReversed().map(({ scope, breakdown, focus, zoomed, panes }): Step => {
    const before = { ...settingsWith(after, panes, () => {}) };
    for (const id of PANE_IDS) {
      const { selected, index } = panes[id] ?? {};
      if (selected !== undefined) before[id] = { ...before[id], selected, index: index ?? before[id].index };
    }
    after = before;
    return { scope: scopeOf(scope), breakdown: breakdownOf(breakdown), focus, zoomed, panes: before };
  }).toReversed();
}

function overlayWith(state: State, view: View, note: Note): State {
  const { overlay } = state;
  const wanted = view.overlay;
  if (wanted === undefined || state.company?.own === true) return state;
  if (wanted?.kind === 'help') return overlay?.kind === 'help' ? state : { ...state, overlay: { kind: 'help', scroll: 0 } };
  if (wanted?.kind === 'details') {
    const { pane } = wanted;
    if (overlay?.kind === 'details' && overlay.pane === pane && tokenOf(pane, { key: overlay.key, row: overlay.row, members: [] }) === wanted.row) return state;
    const rows = paneView(state, pane);
    const found = rows?.rows.find((row) => tokenOf(pane, row) === wanted.row);
    if (rows != null && found !== undefined) return { ...state, overlay: { kind: 'details', pane, key: found.key, row: found.row, info: rows.context.container(found.row.container), scroll: 0 } };
    note(`the details that are open are of a row of ${paneOf(pane).title} that is not on this screen`);
  }
  return overlay === null ? state : { ...state, overlay: null };
}

/** Show what the driver's screen shows. Where in time it stands is for timeEffects. */
export function applyView(state: State, view: View): State {
  if (state.company === null) return state;
  const notes: string[] = [];
  const note: Note = (text) => void notes.push(text);
  const scopeFor = rebuilder(state), breakdownFor = breakdowns(state);
  let next: State = {
    ...state,
    focus: view.focus ?? state.focus, fronts: view.fronts ?? state.fronts, zoomed: view.zoomed ?? state.zoomed, layout: view.layout ?? state.layout,
    totals: view.totals ?? state.totals, heatMap: view.heatMap ?? state.heatMap,
    scope: view.scope === undefined ? state.scope : scopeFor(view.scope), breakdown: view.breakdown === undefined ? state.breakdown : breakdownFor(view.breakdown),
    panes: settingsWith(state.panes, view.panes, note),
  };
  const driver = driverOf(state);
  const name = driver === null ? 'the driver' : shortName(driver);
  if (isStranger(next.scope)) note(`${next.scope?.label ?? ''} is not known here yet`);
  for (const id of PANE_IDS) next = select(next, id, view.panes[id] ?? {}, note);
  if (view.trail !== undefined) next = { ...next, trail: trailWith(next, view.trail, scopeFor, breakdownFor) };
  next = overlayWith(next, view, note);
  if (view.chaos) note(`${name} has the chaos panel open`);
  if (view.base !== null && view.base !== state.baseScope?.label) note(`${name} sees only ${view.base}`);
  return { ...next, company: { ...state.company, notes } };
}
