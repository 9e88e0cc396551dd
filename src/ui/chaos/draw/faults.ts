/** Faults on screen: those that run with the time they have left, those that ended and why, and the last hits. */
import type { FaultStatus } from '../../../chaos/door.ts';
import type { AuditReason } from '../../../chaos/audit.ts';
import type { Hit } from '../../../chaos/hit.ts';
import { formatCount, formatTime, formatUs, UNKNOWN } from '../../../frame/units.ts';
import type { Pen } from '../../draw/pen.ts';
import { entryLines, headingLine } from '../../overlays/text.ts';
import type { Role } from '../../theme.ts';
import { leftMs, leftText, shortRule } from '../armed.ts';
import { chosenFault } from '../keys.ts';
import type { ChaosState, Panel, ToldHit } from '../model.ts';

const REASONS: Readonly<Record<AuditReason, string>> = {
  duration: 'its time was over', budget: 'its hits were spent', stopped: 'stopped', 'panic-key': 'stopped with all others', interrupted: 'stopped with kbtop',
  'target-gone': 'its target went away', watchdog: 'kbtop was stuck: the watchdog ended it', error: 'error',
};
/** The same in the cells of the time that is left. */
const SHORT_REASONS: Readonly<Record<AuditReason, string>> = {
  duration: 'time', budget: 'spent', stopped: 'ended', 'panic-key': 'X', interrupted: 'quit', 'target-gone': 'gone', watchdog: 'watch', error: 'error',
};

/** Local wall time; unknown where it is no time. */
const clockTime = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? formatTime(new Date(ms).toISOString()) : UNKNOWN);

export const endText = ({ endReason, endDetail }: FaultStatus): string => `${endReason === null ? 'ended' : REASONS[endReason]}${endDetail === null ? '' : `: ${endDetail}`}`;

interface Column {
  readonly title: string;
  readonly cells: number;
  readonly right: boolean;
  readonly text: (fault: FaultStatus) => string;
}

/** Columns in `width` cells: the numbers leave from the right, names share what they leave. */
function columnsFor(width: number, clock: number): readonly Column[] {
  const number = (title: string, cells: number, text: (fault: FaultStatus) => string): Column => ({ title, cells, right: true, text });
  const numbers = [
    number('LEFT', 6, (fault) => (fault.state === 'armed' ? leftText(leftMs(fault, clock)) : SHORT_REASONS[fault.endReason ?? 'stopped'])),
    number('HITS', 9, ({ hits, rule }) => `${formatCount(hits)}/${formatCount(rule.maxHits)}`),
    number('ACTED', 6, ({ acted, dryRun }) => (dryRun ? 'dry' : formatCount(acted))),
    number('MATCHED', 7, ({ matched }) => formatCount(matched)),
  ];
  const least = 4 + 12 + 10;
  const shown: Column[] = [];
  let used = 0;
  for (const column of numbers) {
    if (least + used + column.cells + 1 > width) break;
    shown.push(column);
    used += column.cells + 1;
  }
  const names = Math.max(0, width - used - 5 - 1);
  const rule = Math.min(26, Math.ceil(names * 0.45));
  return [
    { title: 'ID', cells: 4, right: false, text: ({ id }) => `#${id}` },
    { title: 'RULE', cells: rule, right: false, text: (fault) => shortRule(fault.rule) },
    { title: 'TARGET', cells: Math.max(0, names - rule), right: false, text: ({ targetName }) => targetName },
    ...shown,
  ];
}

const rowText = (pen: Pen, columns: readonly Column[], text: (column: Column) => string, width: number): string =>
  pen.fit(columns.map((column) => pen.fit(text(column), column.cells, column.right ? 'right' : 'left', column.title === 'TARGET' ? 'middle' : 'end')).join(' '), width);

const roleOf = ({ state, dryRun }: FaultStatus): Role => (state === 'ended' ? 'dim' : dryRun ? 'warn' : 'bad');

/** "surfaced 37, retried 12": what became of it. */
export function outcomeText(fault: FaultStatus, retried: number): string {
  const { acted, hits, dryRun, missed, unreadable, throttled, lost } = fault;
  const parts = dryRun ? [`would have hit ${hits}`] : [`surfaced ${acted} of ${hits}`, `retried ${retried}`];
  const troubles = ([['not seen by the hook', missed], ['arguments unreadable', unreadable], ['delays left out', throttled], ['hits not told', lost]] as const).filter(([, n]) => n > 0).map(([what, n]) => `${what} ${n}`);
  return [...parts, ...troubles].join(', ');
}

export interface FaultLines {
  readonly lines: readonly string[];
  readonly focus: number | null;
}

export function faultLines(chaos: ChaosState, panel: Panel, pen: Pen, width: number): FaultLines {
  const { faults, clock, retries } = chaos;
  if (faults.length === 0) return { lines: [pen.paint('dim', pen.fit('no fault has been armed', width))], focus: null };
  const columns = columnsFor(width, clock);
  const focused = panel.stage.kind === 'form' && panel.field === 'faults';
  const chosen = chosenFault(faults, panel);
  const lines = [pen.paint('heading', rowText(pen, columns, ({ title }) => title, width))];
  let focus: number | null = null;
  for (const fault of faults) {
    const marked = focused && fault.id === chosen?.id;
    if (marked) focus = lines.length;
    lines.push(pen.paint(marked ? 'selected' : roleOf(fault), rowText(pen, columns, ({ text }) => text(fault), width)));
    if (fault.id !== chosen?.id) continue;
    const end = fault.state === 'ended' ? `${endText(fault)}${fault.endedAt === null ? '' : ` at ${clockTime(fault.endedAt)}`}; ` : '';
    lines.push(...entryLines(pen, '', `${end}${outcomeText(fault, retries.counts.get(fault.id) ?? 0)}`, columns[0]?.cells ?? 0, width, { name: 'dim', text: 'dim' }));
  }
  return { lines, focus };
}

/** What the program was given. */
function givenText(pen: Pen, { effect, given, heldUs }: Hit): string {
  return given ?? (effect === 'delay' ? `+${formatUs(heldUs, pen.ascii)}` : '-');
}

function hitLine(pen: Pen, { hit }: ToldHit, width: number): string {
  const parts: readonly (readonly [text: string, cells: number])[] = [
    [clockTime(hit.time), 8], [String(hit.pid), 7], [hit.comm, Math.min(15, Math.max(6, Math.floor(width / 6)))], [hit.syscall, Math.min(12, Math.max(6, Math.floor(width / 7)))], [givenText(pen, hit), width < 60 ? 8 : 12],
  ];
  const lead = parts.map(([text, cells]) => pen.fit(text, cells)).join(' ');
  const rest = width - pen.width(lead) - 1;
  const line = rest < 6 ? pen.fit(lead, width) : `${lead} ${pen.fit(hit.path ?? '', rest, 'left', 'start')}`;
  return pen.paint(hit.dryRun ? 'dim' : hit.acted ? 'text' : 'warn', line);
}

/** The last hits of one fault, newest first, in at most `height` lines. */
export function hitLines(chaos: ChaosState, fault: number | null, pen: Pen, width: number, height: number): string[] {
  const own = fault === null ? [] : chaos.hits.filter((one) => one.fault === fault);
  if (own.length === 0 || height < 2) return [];
  return [headingLine(pen, `Last hits of #${fault}`, width), ...own.slice(0, height - 1).map((one) => hitLine(pen, one, width))];
}
