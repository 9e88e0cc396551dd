/** Everything about one row: its columns with their meaning, latencies, errors, and who the container is. */
import { formatAge } from '../../frame/age.ts';
import type { RowContext } from '../../frame/columns.ts';
import { presentIn } from '../../frame/columns.ts';
import type { ContainerInfo, Frame, Latency, RunqueueRow, SyscallRow } from '../../frame/frame.ts';
import { ALL_CONTAINERS, containerName, fullName } from '../../frame/names.ts';
import { statusSeverity } from '../../frame/pod.ts';
import { formatCount, formatRate, formatUs } from '../../frame/units.ts';
import type { Piece } from '../draw/box.ts';
import type { Pen } from '../draw/pen.ts';
import { octaveOf } from '../history/history.ts';
import type { Overlay, Shown, State } from '../model.ts';
import { exactRange, histogram } from '../panes/waits.ts';
import type { AnyColumn, AnyRow } from '../rows.ts';
import { cellText, paneOf } from '../rows.ts';
import type { Role } from '../theme.ts';
import { SEVERITY_ROLE } from '../theme.ts';
import { contextFor, paneView, scopeOf } from '../view.ts';
import { bar } from '../draw/bar.ts';
import { beside, blankLine, entryLines, headingLine, textLines } from './text.ts';

type Details = Extract<Overlay, { kind: 'details' }>;

const TWO_COLUMNS = 110;
const HISTOGRAM_LINES = 20;
/** Cells of a value that its explanation stands beside. */
const SHORT_VALUE = 16;

export function detailTitle(state: State, overlay: Details): Piece[] {
  const pane = paneOf(overlay.pane);
  const gone = paneView(state, overlay.pane)?.rows.some((row) => row.key === overlay.key) !== true;
  return [
    { text: `${pane.title}: details`, role: 'title', rank: 0 },
    ...(gone ? [{ text: 'not in this interval; last numbers', role: 'warn' as const, rank: 1 }] : []),
  ];
}

/** The Frame's context, which knows the overlay's row also when it is that of a group that is gone. */
function contextWith(shown: Shown, { row, info }: Details): RowContext {
  const context = contextFor(shown);
  return { frame: context.frame, container: (key) => (key === row.container ? info : context.container(key)) };
}

function columnLines(state: State, overlay: Details, pen: Pen, width: number): string[] {
  if (state.shown === null) return [];
  const context = contextWith(state.shown, overlay);
  const known = (column: AnyColumn): boolean => column.optional !== true || column.value(overlay.row, context) !== null;
  const columns = presentIn(paneOf(overlay.pane).columns, state.shown.frame).filter((column) => column.trendOf === undefined && known(column));
  const titleWidth = Math.max(...columns.map((column) => column.title.length));
  const values = columns.map((column) => pen.clean(cellText(column, overlay.row, context, pen.ascii)));
  const short = (value: string): boolean => pen.width(value) <= SHORT_VALUE;
  const valueWidth = Math.max(0, ...values.filter(short).map((value) => pen.width(value)));
  const helpWidth = width - titleWidth - valueWidth - 4;
  return columns.flatMap((column, i) => {
    const value = values[i] ?? '';
    const entry = entryLines(pen, column.title, value, titleWidth, width, { name: 'dim', text: 'strong' });
    if (helpWidth < 20) return entry;
    // A short value leaves room for what it means; a long one needs its lines for itself.
    const help = (left: readonly string[]): string[] => beside(left, textLines(pen, column.help, helpWidth, 'dim'), width - helpWidth, helpWidth, 0);
    if (!short(value)) return entry.concat(help([]));
    return help([`${pen.paint('dim', pen.fit(column.title, titleWidth))}  ${pen.paint('strong', pen.fit(value, valueWidth))}  `]);
  });
}

const latencyOfRow = (row: AnyRow): Latency | null => ('latency' in row ? row.latency : null);

function latencyLines(row: AnyRow, pen: Pen, width: number): string[] {
  const latency = latencyOfRow(row);
  if (latency === null || latency.count === 0) return [];
  const us = (value: number | null): string => (value === null ? '-' : formatUs(value, pen.ascii));
  const sampled = latency.sampled > 1 ? `, one in ${latency.sampled} timed` : '';
  return [
    headingLine(pen, 'Latency', width),
    ...textLines(pen, `p50 ${us(latency.p50Us)}  p95 ${us(latency.p95Us)}  p99 ${us(latency.p99Us)}  max ${us(latency.maxUs)}  mean ${us(latency.sumUs / latency.count)}  (${formatCount(latency.count)} samples${sampled})`, width),
    ...histogram(pen, latency, exactRange(latency.buckets.map(([lower]) => octaveOf(lower))), width, HISTOGRAM_LINES), blankLine(width),
  ];
}

/** Name, number and bar of each entry, largest first. */
function ranking(pen: Pen, title: string, entries: readonly (readonly [string, number])[], width: number, format: (n: number) => string): string[] {
  if (entries.length === 0) return [];
  const sorted = entries.toSorted((a, b) => b[1] - a[1]).slice(0, 12);
  const top = sorted[0]?.[1] ?? 1;
  const nameWidth = Math.min(Math.max(8, ...sorted.map(([name]) => pen.width(pen.clean(name)))), Math.max(8, Math.floor(width / 2)));
  const room = width - nameWidth - 10;
  return [
    headingLine(pen, title, width),
    ...sorted.map(([name, n]) => {
      const head = `${pen.fit(name, nameWidth, 'left', 'middle')}  ${pen.fit(format(n), 6, 'right')}  `;
      return room < 4 ? pen.fit(`${name} ${format(n)}`, width) : head + pen.paint('bar', bar(pen, n / top, room));
    }),
    ...(entries.length > sorted.length ? textLines(pen, `and ${entries.length - sorted.length} more`, width, 'dim') : []), blankLine(width),
  ];
}

/** How many of the errors are kbtop's own doing. */
function injectedLines({ injected, errors }: SyscallRow, pen: Pen, width: number): string[] {
  if (injected === 0) return [];
  const real = errors === null ? null : Math.max(0, Object.values(errors).reduce((n, one) => n + one, 0) - injected);
  return [...textLines(pen, `injected by kbtop ${formatCount(injected)}${real === null ? '' : `, real ${formatCount(real)}`}`, width, 'bad'), blankLine(width)];
}

function rankings(state: State, overlay: Details, pen: Pen, width: number): string[] {
  const { row } = overlay;
  const { shown } = state;
  if (shown === null) return [];
  const context = contextFor(shown);
  const name = (key: string): string => fullName(context.container(key));
  const lines: string[] = [];
  if (overlay.pane === 'syscalls') {
    const call = row as SyscallRow;
    lines.push(...ranking(pen, 'Errors', Object.entries(call.errors ?? {}), width, formatCount), ...injectedLines(call, pen, width));
    if (call.container === ALL_CONTAINERS) {
      const scope = scopeOf(state);
      const parts = shown.frame.panes.syscalls.rows.filter((one) => one.nr === call.nr && one.abi === call.abi && scope?.matches(one.container, context.container(one.container)) !== false);
      lines.push(...ranking(pen, 'Per second by container', parts.map((one) => [name(one.container), one.ratePerSec] as const), width, formatRate));
    }
  }
  if (overlay.pane === 'runqueue') {
    const by = (row as RunqueueRow).preemptedBy;
    lines.push(...ranking(pen, 'Ran instead of it', by.map((one) => [containerName(context.container(one.container)), one.count] as const), width, formatCount));
  }
  return lines;
}

/** Who it is, and why that is not all known. */
function identityLines(frame: Frame, key: string, info: ContainerInfo, pen: Pen, width: number): string[] {
  const { podStatus: pod } = info;
  const ageMs = pod?.createdAt == null ? Number.NaN : Date.parse(frame.time) - Date.parse(pod.createdAt);
  const facts: readonly (readonly [string, string | null, Role?])[] = [
    ['kind', info.kind], ['node', info.node ?? null], ['namespace', info.namespace], ['pod', info.pod], ['pod uid', info.podUid], ['container', info.container], ['container id', info.containerId],
    ['image', info.image], ['owner', info.owner === null ? null : `${info.owner.kind}/${info.owner.name}`], ['qos', info.qos],
    ['status', pod === null ? null : pod.status, pod === null ? 'text' : SEVERITY_ROLE[statusSeverity(pod.status)]], ['ready', pod === null ? null : `${pod.ready} of ${pod.containers} containers`],
    ['restarts', pod === null ? null : String(pod.restarts), pod !== null && pod.restarts > 0 ? 'warn' : 'text'],
    ['age', Number.isNaN(ageMs) ? null : `${formatAge(ageMs)}, since ${pod?.createdAt ?? ''}`],
    ...Object.entries(info.labels).map(([name, value], i) => [i === 0 ? 'labels' : '', `${name}=${value}`] as const),
    ['nodename', info.nodename], ['pid namespace', info.pidNs === null ? null : String(info.pidNs)], ['cgroup', info.cgroup], ['cgroup id', info.cgroupId === '' ? null : info.cgroupId], ['key', key],
    ['named by', info.nameSource],
  ];
  return [
    headingLine(pen, 'Container', width),
    ...facts.flatMap(([name, value, role]) => (value === null ? [] : entryLines(pen, name, value, 13, width, { name: 'dim', text: role ?? 'text' }))),
    ...(info.unresolved === null ? [] : entryLines(pen, 'not known', info.unresolved, 13, width, { name: 'warn', text: 'warn' })), blankLine(width),
  ];
}

function whereLines(state: State, { row, info }: Details, pen: Pen, width: number): string[] {
  if (state.shown === null || row.container === ALL_CONTAINERS) return [];
  return identityLines(state.shown.frame, row.container, info, pen, width);
}

/** Lines of exactly `width` cells. */
export function detailLines(state: State, overlay: Details, pen: Pen, width: number): string[] {
  const main = (w: number): string[] => [...columnLines(state, overlay, pen, w), blankLine(w)];
  const more = (w: number): string[] => [...latencyLines(overlay.row, pen, w), ...rankings(state, overlay, pen, w)];
  const where = (w: number): string[] => whereLines(state, overlay, pen, w);
  if (width < TWO_COLUMNS) return [...main(width), ...more(width), ...where(width)];
  const gap = 4, half = Math.floor((width - gap) / 2), rest = width - gap - half;
  return beside([...main(half), ...where(half)], more(rest), half, rest, gap);
}
