/** The checks as text. */
import { escapeForTerminal } from '../../frame/escape.ts';
import type { Severity } from '../../frame/columns.ts';
import { type TextCell, type TextColumn, tableLines } from '../../output/text-table.ts';
import { type Answer, type Check } from './check.ts';

/** A line of the table: a check, or more of the reason of the one above. */
export interface Line {
  readonly CHECK: string;
  readonly OK: string;
  readonly WHY: string;
}

const SEVERITY: Readonly<Record<Answer, Severity>> = { yes: 'ok', partly: 'warn', no: 'bad', unknown: 'warn' };

/** `text` in lines of at most `width` characters, broken at spaces where there are some. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width));
  }
  return [...lines, line];
}

/** Reason, and what to do about it. */
const whyOf = ({ ok, reason, fix }: Check): string => escapeForTerminal(fix === null || ok === 'yes' ? reason : `${reason}; ${fix}`);

function nameOf({ group, check }: Check): string {
  const name = escapeForTerminal(check).replace(/^CONFIG_/, '');
  switch (group) {
    case 'panes': return `${name} pane`;
    case 'programs': return `BPF ${name}`;
    case 'chaos':
    case 'ladder':
    case 'identity': return `${group}: ${name}`;
    default: return name;
  }
}

/** @param width of the whole table @param frame cells that borders and padding take */
export function tableOf(checks: readonly Check[], width: number, frame: number): Line[] {
  const named = checks.map((one) => ({ one, name: nameOf(one) }));
  const first = Math.max(5, ...named.map(({ name }) => name.length));
  const second = Math.max(2, ...checks.map(({ ok }) => ok.length));
  const room = Math.max(20, width - first - second - frame);
  return named.flatMap(({ one, name }) => wrap(whyOf(one), room).map((text, i): Line => ({ CHECK: i === 0 ? name : '', OK: i === 0 ? one.ok : '', WHY: text })));
}

const COLUMNS: readonly TextColumn[] = [{ heading: 'CHECK', align: 'left' }, { heading: 'OK', align: 'left' }, { heading: 'WHY', align: 'left' }];

/** Plain and aligned. @param width wrap there; null: one line per check */
export function plainTable(checks: readonly Check[], width: number | null, color: boolean): string {
  const rows = tableOf(checks, width ?? Infinity, 4).map(({ CHECK, OK, WHY }): TextCell[] => [
    { text: CHECK }, { text: OK, ...(OK !== '' && { severity: SEVERITY[OK as Answer] }) }, { text: WHY },
  ]);
  return tableLines(COLUMNS, rows, { color }).map((line) => `${line}\n`).join('');
}
