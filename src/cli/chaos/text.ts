/** What the chaos commands print for people; every string from outside is escaped here. */
import type { AuditReason } from '../../chaos/audit.ts';
import type { FaultStatus, Plan } from '../../chaos/door.ts';
import type { Hit } from '../../chaos/hit.ts';
import type { Selection } from '../../chaos/select.ts';
import { escapeForTerminal } from '../../frame/escape.ts';
import { formatDuration } from '../../frame/duration.ts';

const two = (n: number): string => String(n).padStart(2, '0');

/** Local time of day with milliseconds. @param time milliseconds since the epoch */
function clock(time: number): string {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** What the program was given: an error, a signal, or the delay that it had. */
function givenText({ effect, given, heldUs, acted, dryRun }: Hit): string {
  const text = effect === 'delay' ? `+${(heldUs / 1000).toFixed(1)}ms` : given ?? '?';
  if (dryRun) return `(${text})`;
  return acted ? text : `${text} (not taken)`;
}

const row = (cells: readonly string[]): string => {
  const [time = '', pid = '', comm = '', syscall = '', given = '', backend = '', argument = ''] = cells;
  return `${time.padEnd(12)}  ${pid.padStart(7)}  ${comm.padEnd(15)}  ${syscall.padEnd(12)}  ${given.padEnd(14)}  ${backend.padEnd(9)}  ${argument}`.trimEnd();
};

export const HIT_HEADINGS = row(['TIME', 'PID', 'COMM', 'SYSCALL', 'ERROR', 'BACKEND', 'ARGUMENT']);

export const hitLine = (hit: Hit): string => row([clock(hit.time), String(hit.pid), escapeForTerminal(hit.comm), hit.syscall, givenText(hit), hit.backend, hit.path === null ? '' : escapeForTerminal(hit.path)]);

export const armedLine = ({ deadline, dryRun }: FaultStatus): string => `${dryRun ? 'Counting' : 'Armed'} until ${clock(deadline).slice(0, 8)}; Ctrl-C ends it.`;

const ENDS: Readonly<Record<AuditReason, string>> = {
  duration: 'its time was over', budget: 'its budget was spent', stopped: 'it was stopped', 'panic-key': 'it was stopped', interrupted: 'it was interrupted', 'target-gone': 'its target is gone',
  watchdog: 'kbtop was gone or stuck', error: 'it could not be kept up',
};

const calls = (n: number): string => `${n} call${n === 1 ? '' : 's'}`;

/** "Ended after 12.3s: its budget was spent. 40 calls matched, 10 were hit, 10 failed." */
export function summaryLine({ rule, dryRun, armedAt, endedAt, endReason, endDetail, matched, hits, acted, missed, unreadable, throttled, lost }: FaultStatus): string {
  const done = { error: 'failed', signal: 'brought a signal', delay: 'were delayed' }[rule.effect.kind];
  const counts = [`${calls(matched)} matched`, dryRun ? `${hits} would have been hit` : `${hits} ${hits === 1 ? 'was' : 'were'} hit`, ...(dryRun ? [] : [`${acted} ${done}`])];
  const losses = [
    missed > 0 ? `${missed} did not pass the hook and went by` : '', unreadable > 0 ? `of ${calls(unreadable)} the arguments could not be read` : '',
    throttled > 0 ? `${throttled} delays were left out to spare the CPU` : '', lost > 0 ? `${lost} hits are not listed` : '',
  ].filter((text) => text !== '');
  const why = `${ENDS[endReason ?? 'stopped']}${endDetail === null ? '' : ` (${endDetail})`}`;
  return escapeForTerminal(`Ended after ${formatDuration(Math.max(0, Math.round((endedAt ?? armedAt) - armedAt)))}: ${why}. ${counts.join(', ')}.${losses.length === 0 ? '' : ` ${losses.join('; ')}.`}`);
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${escapeForTerminal(line)}`);

const MAX_TARGETS = 10;

type Why = Pick<Selection, 'reason' | 'notes' | 'others'>;

const WORD = /[\w-]+/g;
const renamed = (text: string, from: string, to: string): string => text.replaceAll(WORD, (word) => (word === from ? to : word));

/** Of calls that differ in nothing but their names, one for all: a family would fill the screen otherwise. */
export function toldTogether(selections: readonly Selection[]): Why[] {
  const groups = new Map<string, Selection[]>();
  for (const one of selections) {
    const told = renamed(JSON.stringify([one.reason, one.notes, one.others]), one.syscall, '\0');
    groups.set(told, [...(groups.get(told) ?? []), one]);
  }
  return [...groups.values()].flatMap((group): Why[] => {
    const [first] = group;
    if (first === undefined || group.length === 1) return group;
    const name = (text: string): string => renamed(text, first.syscall, group.map(({ syscall }) => syscall).join(', '));
    return [{ reason: name(first.reason), notes: first.notes.map(name), others: first.others.map((other) => ({ ...other, reason: name(other.reason) })) }];
  });
}

/** The sentence, whom it hits, what acts, warnings and what stands in its way, a line each. @param reasons why every other backend is not the one */
export function planLines({ text, targets, selections, warnings, refusals, confirmation }: Plan, reasons: boolean): string[] {
  const names = targets.map(({ name, cgroup }) => (cgroup === null || cgroup === name ? name : `${name} (${cgroup})`));
  return [
    escapeForTerminal(text),
    ...indented(names.length > MAX_TARGETS ? [...names.slice(0, MAX_TARGETS), `and ${names.length - MAX_TARGETS} more cgroups`].map((name) => `hits ${name}`) : names.map((name) => `hits ${name}`)),
    ...toldTogether(selections).flatMap(({ reason, notes, others }) => indented([reason, ...notes.map((note) => `note: ${note}`), ...(reasons ? others.map((other) => `  not ${other.backend}: ${other.reason}`) : [])])),
    ...indented(warnings.map((warning) => `warning: ${warning.text}`)),
    ...indented(refusals.map(({ reason }) => `refused: ${reason}`)),
    ...(confirmation === null ? [] : indented([...confirmation.reasons, `"${confirmation.text}" is to be typed before it is armed`])),
  ];
}

/** Why it cannot be armed, one line; null: it can. */
export function obstacleOf({ refusals, selections, rule }: Plan): string | null {
  if (refusals.length > 0) return refusals.map(({ reason, unless }) => (unless === null || reason.includes(unless) ? reason : `${reason} (${unless} allows it)`)).join('; ');
  if (selections.length === 0) return `no program here has a call ${rule.syscalls.join(', ')}`;
  const impossible = [...new Set(toldTogether(selections.filter(({ attachment }) => attachment === null)).map(({ reason }) => reason))];
  return impossible.length === 0 ? null : impossible.join('; ');
}
