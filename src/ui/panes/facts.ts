/** A pane in a few words: the facts on the right of its title line. */
import type { Latency, Loss, PaneId, RunqueueRow, StreamPane, StreamTotal, SyscallRow } from '../../frame/frame.ts';
import { mergeLatencies } from '../../frame/histogram.ts';
import { formatCount, formatRate, formatUs } from '../../frame/units.ts';
import { LIMITS } from '../../frame/panes/runqueue.ts';
import { callKey } from '../../frame/panes/syscalls.ts';
import type { Piece } from '../draw/box.ts';
import type { Pen } from '../draw/pen.ts';
import { sparkline } from '../draw/spark.ts';
import type { Shown, State } from '../model.ts';
import type { Role } from '../theme.ts';
import { columnById, paneOf } from '../rows.ts';
import { contextFor, groupingOf, paneView, scopeOf, showsTotals } from '../view.ts';
import { areaOf } from './area.ts';

const piece = (text: string, role: Role, rank: number): Piece => ({ text, role, rank });

/** Rows of a pane's Frame whose container is in scope; each container is asked about once. */
function inScope<Row extends { readonly container: string }>(state: State, shown: Shown, rows: readonly Row[]): readonly Row[] {
  const scope = scopeOf(state);
  if (scope === null) return rows;
  const context = contextFor(shown);
  const asked = new Map<string, boolean>();
  return rows.filter(({ container }) => {
    let inside = asked.get(container);
    if (inside === undefined) asked.set(container, inside = scope.matches(container, context.container(container)));
    return inside;
  });
}

const errorsOf = (errors: Readonly<Record<string, number>> | null): number => (errors === null ? 0 : Object.values(errors).reduce((a, b) => a + b, 0));
const sum = <T>(items: readonly T[], value: (item: T) => number): number => items.reduce((n, item) => n + value(item), 0);

function syscallFacts(state: State, shown: Shown): Piece[] {
  const { breakdown } = state;
  const rows = inScope<SyscallRow>(state, shown, shown.frame.panes.syscalls.rows).filter((row) => breakdown === null || callKey(row) === breakdown.key);
  const seconds = Math.max(shown.frame.intervalMs, 1) / 1000;
  const errors = sum(rows, (row) => errorsOf(row.errors)) / seconds;
  return [
    ...(errors > 0 ? [piece(`${formatRate(errors)} err/s`, 'warn', 6)] : []),
    piece(`${formatRate(sum(rows, (row) => row.ratePerSec))}/s`, 'strong', 2),
  ];
}

/** The run queue's latency over everything in scope; totals instead of the last interval when the state says so. */
export function runqueueLatency(state: State, shown: Shown): Latency | null {
  const rows = state.totals ? shown.history.totals().runqueue : shown.frame.panes.runqueue.rows;
  return mergeLatencies(inScope<RunqueueRow>(state, shown, rows).map((row) => row.latency));
}

function runqueueFacts(state: State, shown: Shown, pen: Pen): Piece[] {
  const latency = runqueueLatency(state, shown);
  if (latency === null || latency.p99Us === null || latency.p50Us === null) return [];
  const p99: Role = latency.p99Us >= LIMITS.bad ? 'bad' : latency.p99Us >= LIMITS.warn ? 'warn' : 'strong';
  return [
    piece(`p50 ${formatUs(latency.p50Us, pen.ascii)}`, 'text', 4),
    piece(`p99 ${formatUs(latency.p99Us, pen.ascii)}`, p99, 1),
    ...(latency.maxUs === null ? [] : [piece(`max ${formatUs(latency.maxUs, pen.ascii)}`, 'text', 7)]),
  ];
}

function streamFacts(state: State, shown: Shown, pane: StreamPane<unknown>, wrong: string): Piece[] {
  const seconds = Math.max(shown.frame.intervalMs, 1) / 1000;
  const totals = inScope<StreamTotal>(state, shown, pane.totals);
  const rate = scopeOf(state) === null ? pane.ratePerSec : sum(totals, (total) => total.count) / seconds;
  const errors = sum(totals, (total) => errorsOf(total.errors)) / seconds;
  // Exact numbers are by container: of one process there are only the rows.
  if (scopeOf(state)?.process !== undefined) return [piece(`container ${formatRate(rate)}/s`, 'dim', 1)];
  return [piece(`${formatRate(rate)}/s`, 'strong', 1), ...(errors > 0 ? [piece(`${formatRate(errors)} ${wrong}/s`, 'warn', 3)] : [])];
}

function lossFacts(loss: Loss): Piece[] {
  const lost = loss.lostRing + loss.lostMap;
  return [
    ...(lost > 0 ? [piece(`lost ${formatCount(lost)}!`, 'bad', 1)] : []),
    ...(loss.overBudget > 0 ? [piece(`1 row in ${formatCount(Math.max(2, Math.round(loss.seen / Math.max(1, loss.kept))))}`, 'dim', 5)] : []),
  ];
}

/** "count", "1/16": how much less than everything is measured. */
function levelFacts(shown: Shown, id: PaneId): Piece[] {
  const pane = shown.frame.panes[id];
  if (pane.state.level === 'count') return [piece('count', 'accent', 1)];
  if (pane.state.level !== 'sampled') return [];
  const sampled = Math.max(1, ...(pane.rows as readonly { readonly latency?: Latency | null }[]).map((row) => row.latency?.sampled ?? 1));
  return [piece(sampled > 1 ? `1/${sampled}` : 'sampled', 'accent', 1)];
}

/** Rate over time, small, where the pane has no chart of its own. */
function trendFact(state: State, shown: Shown, id: PaneId, pen: Pen, width: number): Piece[] {
  if (id === 'containers' || id === 'runqueue' || id === 'processes' || scopeOf(state)?.process !== undefined || width < 36 || (areaOf(state, id)?.chart ?? 0) > 0) return [];
  const cells = width >= 70 ? 16 : 8;
  const line = sparkline(pen, shown.history.rates(id, shown.history.keysOf(scopeOf(state)), cells), cells);
  return line.trim() === '' ? [] : [piece(line, 'spark', 5)];
}

function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  return s < 100 ? `${s}s` : s < 6000 ? `${Math.round(s / 60)}m` : `${Math.round(s / 3600)}h`;
}

function viewFacts(state: State, shown: Shown, id: PaneId, pen: Pen): Piece[] {
  const setting = state.panes[id];
  const view = paneView(state, id);
  if (view === null) return [];
  const { sort } = setting;
  const own = paneOf(id).defaultSort;
  const filtered = view.rows.length !== view.total;
  const facts: Piece[] = [];
  if (showsTotals(state, id)) facts.push(piece(`total ${duration(shown.history.totals().elapsedMs)}`, 'accent', 1));
  if (filtered || id === 'containers' || id === 'processes') facts.push(piece(filtered ? `${view.rows.length}/${view.total}` : `${view.total}`, filtered ? 'accent' : 'text', 2));
  if (sort.column !== own.column || sort.descending !== own.descending || id === 'containers') {
    facts.push(piece(`by ${columnById(paneOf(id), sort.column)?.title ?? sort.column} ${sort.descending ? pen.symbols.descending : pen.symbols.ascending}`, 'dim', 4));
  }
  if (setting.errorsOnly) facts.push(piece('errors only', 'accent', 1));
  if (setting.filter !== null) facts.push(piece(`/${setting.filter.text}`, 'accent', 1));
  return facts;
}

/** Everything on the right of a pane's title. @param width of the pane */
export function factsOf(state: State, id: PaneId, pen: Pen, width: number): Piece[] {
  const { shown } = state;
  if (shown === null) return [];
  const pane = shown.frame.panes[id];
  if (pane.state.status !== 'ok') return [piece(pane.state.status, pane.state.status === 'error' ? 'bad' : 'warn', 0)];
  const own = id === 'syscalls' ? syscallFacts(state, shown)
    : id === 'runqueue' ? runqueueFacts(state, shown, pen)
      : id === 'opens' ? streamFacts(state, shown, shown.frame.panes.opens, 'err')
        : id === 'tcp' ? streamFacts(state, shown, shown.frame.panes.tcp, 'fail') : [];
  return [...viewFacts(state, shown, id, pen), ...levelFacts(shown, id), ...own, ...trendFact(state, shown, id, pen, width), ...lossFacts(pane.loss)];
}

/** The left of a pane's title: number, name, how its rows are put together, the one call that it is about, and who shares its place. */
export function titleOf(state: State, id: PaneId, pen: Pen, behind: readonly PaneId[] = []): Piece[] {
  const pane = paneOf(id);
  const focused = state.focus === id;
  const title = [piece(`${pane.number} ${pane.title}`, focused ? 'title' : 'text', 0)];
  const grouping = groupingOf(state, pane);
  if (grouping !== null && grouping.id === state.panes[id].grouping && grouping !== pane.groupings?.[0]) title.push(piece(grouping.label, 'accent', 1));
  if (id === 'syscalls' && state.breakdown !== null) title.push(piece(`${pen.symbols.more.right} ${state.breakdown.label}`, 'accent', 0));
  if (scopeOf(state)?.process !== undefined && (id === 'syscalls' || id === 'runqueue' || id === 'containers')) title.push(piece('whole container', 'dim', 1));
  // A wider gap: they are two titles.
  for (const other of behind) title.push(piece(` ${paneOf(other).number} ${paneOf(other).title}`, 'dim', 6));
  return title;
}
