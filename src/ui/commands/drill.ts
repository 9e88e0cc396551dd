/** Steps in and back: Enter goes from workload to pod, container, process and its events; Esc takes back the last step. */
import { presentIn } from '../../frame/columns.ts';
import type { PaneId, SyscallRow } from '../../frame/frame.ts';
import type { GroupBy } from '../../frame/grouping.ts';
import { finer, finest } from '../../frame/grouping.ts';
import { callKey } from '../../frame/panes/syscalls.ts';
import type { PaneSetting, State, Step } from '../model.ts';
import { withPane } from '../model.ts';
import { areaOf } from '../panes/area.ts';
import type { ViewRow } from '../rows.ts';
import { paneOf } from '../rows.ts';
import type { Scope } from '../scope.ts';
import { groupScope, isOneContainer, namespaceScope, onNode, processScope } from '../scope.ts';
import { containerOf, contextFor, groupingOf, isMerged, scopeOf, selectedRow } from '../view.ts';
import { focusOn, followTop } from './move.ts';
import { tell } from './tell.ts';

/** Steps that Esc can take back: more than anybody makes, and not without end. */
const MAX_STEPS = 50;

export const NO_ROW = 'no row is chosen: move to one with the arrow keys first';

/** The row that a command is about; in a stream only one that was chosen, since the first one changes under the hand. */
export function chosenRow(state: State): ViewRow | null {
  if (paneOf(state.focus).kind === 'stream' && state.panes[state.focus].selected === null) return null;
  return selectedRow(state, state.focus);
}

/** `after`, with the way back to `before`. */
function step(before: State, after: State): State {
  const { scope, breakdown, zoomed, panes } = before;
  const focus = after.focus === before.focus ? null : before.focus;
  return { ...after, trail: [...before.trail, { scope, breakdown, focus, zoomed, panes }].slice(-MAX_STEPS) };
}

/** Put the containers pane together at least as finely as this. What was chosen and filtered was about other rows. */
function groupAtLeast(state: State, by: GroupBy): State {
  const now = state.panes.containers.grouping as GroupBy;
  const wanted = finest(now, by);
  return wanted === now ? state : followTop(withPane(state, 'containers', { grouping: wanted, filter: null, errorsOnly: false }), 'containers');
}

/** All panes on a scope; the containers pane one level finer. */
const enterScope = (state: State, scope: Scope): State => groupAtLeast({ ...state, scope, breakdown: null }, finer(scope.level ?? 'container'));

/** All panes on what a row of this container stands for; from the containers pane a container goes on to its processes. */
function enterGroup(state: State, id: PaneId, row: ViewRow, now: number): State {
  const context = contextFor(state.shown as NonNullable<State['shown']>);
  const key = containerOf(row);
  const info = context.container(key);
  const scope = onNode(scopeOf(state)?.node, groupScope(groupingOf(state, paneOf(id))?.by ?? 'container', key, info));
  const inside = isOneContainer(scopeOf(state));
  if (scope.level !== 'container') return step(state, enterScope(state, scope));
  if (id === 'containers') return step(state, followTop(focusOn(inside ? state : enterScope(state, scope), 'processes'), 'processes'));
  if (!inside) return step(state, enterScope(state, scope));
  return enterProcess(state, row, now);
}

/** Events of the row's process; from the processes pane the focus goes to the first of them. */
function enterProcess(state: State, { row }: ViewRow, now: number): State {
  const current = scopeOf(state)?.process?.pid ?? null;
  const pid = 'pid' in row ? row.pid : null;
  if (pid === null) return tell(state, 'all panes already show this container only; Esc goes back', 'dim', now);
  if (pid === current) return tell(state, 'all panes already show this process only; Esc goes back', 'dim', now);
  const comm = 'comm' in row ? row.comm : null;
  const info = contextFor(state.shown as NonNullable<State['shown']>).container(row.container);
  const next = enterScope(state, onNode(scopeOf(state)?.node, processScope(row.container, info, pid, comm)));
  return step(state, state.focus === 'processes' ? followTop(focusOn(next, 'opens'), 'opens') : next);
}

/** Enter: one step further in. */
export function enter(state: State, now: number): State {
  const id = state.focus;
  if (state.shown === null) return state;
  if (areaOf(state, id)?.table === 0) return state.zoomed ? tell(state, 'no room for rows: a higher terminal shows them', 'dim', now) : step(state, { ...state, zoomed: true });
  const row = chosenRow(state);
  if (row === null) return tell(state, NO_ROW, 'warn', now);
  if (isMerged(state, paneOf(id))) {
    const call = row.row as SyscallRow;
    return step(state, followTop({ ...state, breakdown: { key: callKey(call), label: call.syscall } }, id));
  }
  return id === 'processes' ? enterProcess(state, row, now) : enterGroup(state, id, row, now);
}

/** Null: all namespaces, and no way back to a narrower scope. */
export function enterNamespace(state: State, namespace: string | null): State {
  if (namespace === null) return { ...state, scope: null, breakdown: null, trail: [] };
  const scope = onNode(scopeOf(state)?.node, namespaceScope(namespace));
  return state.scope?.label === scope.label ? state : step(state, enterScope(state, scope));
}

/** What was selected, and where it stood. */
const selection = ({ selected, index, offset, line }: PaneSetting): Partial<PaneSetting> => ({ selected, index, offset, line });

/** The step, or a key since, has put the containers together differently. */
const isRegrouped = (state: State, { panes }: Step): boolean => panes.containers.grouping !== state.panes.containers.grouping;

function stepBack(state: State, last: Step): State {
  const { scope, breakdown, focus, panes } = last;
  let next: State = { ...state, scope, breakdown, trail: state.trail.slice(0, -1) };
  if (focus !== null) next = focusOn(next, focus);
  // Other rows: with them comes back what was chosen and filtered among them.
  if (isRegrouped(state, last)) next = withPane(next, 'containers', { ...panes.containers, sort: state.panes.containers.sort, columnOffset: state.panes.containers.columnOffset });
  return breakdown === state.breakdown ? next : withPane(next, 'syscalls', selection(panes.syscalls));
}

/** Taking it back would change nothing: other keys have done so already. */
const isUndone = (state: State, last: Step): boolean =>
  last.scope === state.scope && last.breakdown === state.breakdown && (last.focus === null || last.focus === state.focus) && !isRegrouped(state, last);

/** Esc: the innermost thing that stands open goes, then the last step is taken back; never the program. */
export function back(state: State, now: number): State {
  const { focus, trail } = state;
  if (state.menu !== null) return { ...state, menu: null };
  if (state.overlay !== null) return { ...state, overlay: null };
  const last = trail.at(-1);
  const { filter, errorsOnly } = state.panes[focus];
  const before = last?.panes[focus];
  // What was set before the last step is taken back after it.
  if (filter !== null && filter !== before?.filter) return withPane(state, focus, { filter: null });
  if (errorsOnly && !before?.errorsOnly) return withPane(state, focus, { errorsOnly: false });
  if (state.zoomed && !last?.zoomed) return { ...state, zoomed: false };
  if (last === undefined) return tell(state, 'nothing to step back from; q quits', 'dim', now);
  return isUndone(state, last) ? back({ ...state, trail: trail.slice(0, -1) }, now) : stepBack(state, last);
}

/** The other ways to put the rows of the focused pane together, in their order. */
export function cycleGrouping(state: State, by: 1 | -1, now: number): State {
  const pane = paneOf(state.focus);
  const groupings = presentIn(pane.groupings ?? [], state.shown?.frame);
  if (groupings.length < 2) return tell(state, `${pane.title}: nothing to put together`, 'warn', now);
  const at = groupings.findIndex((one) => one.id === state.panes[pane.id].grouping);
  const next = groupings[(at + by + groupings.length) % groupings.length];
  if (next === undefined) return state;
  return tell(followTop(withPane({ ...state, breakdown: pane.id === 'syscalls' ? null : state.breakdown }, pane.id, { grouping: next.id }), pane.id), `${pane.title}: ${next.label}`, 'accent', now);
}

