/** The nodes of a cluster's Frame: who tells, how late, with what clock, at what cost, and why one does not. */
import type { NodeState, NodeStatus } from '../../frame/frame.ts';
import { clockText, nodesText } from '../../frame/nodes.ts';
import { formatBytes, formatCount, formatPct, formatTime } from '../../frame/units.ts';
import type { Piece } from '../draw/box.ts';
import type { Pen } from '../draw/pen.ts';
import type { State } from '../model.ts';
import type { Role } from '../theme.ts';
import { blankLine, textLines } from './text.ts';

const ROLES: Readonly<Record<NodeState, Role>> = { ok: 'ok', connecting: 'dim', late: 'warn', lost: 'bad', refused: 'bad' };

interface Field {
  readonly title: string;
  readonly align: 'left' | 'right';
  text(node: NodeStatus): string;
}

const seconds = (ms: number | null): string => (ms === null ? '-' : `${(ms / 1000).toFixed(1)}s`);

/** "+12.3s"; without a sign where it rounds to nothing. */
const offset = (ms: number | null): string => (ms === null || Math.abs(ms) < 50 ? seconds(ms && 0) : `${ms > 0 ? '+' : ''}${seconds(ms)}`);

/** In the order in which they give way from the right. */
const FIELDS: readonly Field[] = [
  { title: 'NODE', align: 'left', text: ({ name }) => name },
  { title: 'STATE', align: 'left', text: ({ state }) => state },
  { title: 'ITS TIME', align: 'left', text: ({ time }) => (time === null ? '-' : formatTime(time)) },
  { title: 'CLOCK', align: 'right', text: ({ skewMs }) => offset(skewMs) },
  { title: 'EVERY', align: 'right', text: ({ intervalMs }) => seconds(intervalMs) },
  { title: 'SKIPPED', align: 'right', text: ({ skipped }) => formatCount(skipped) },
  { title: 'CPUS', align: 'right', text: ({ info }) => (info === null ? '-' : String(info.cpus)) },
  { title: 'AGENT%', align: 'right', text: ({ self }) => (self?.cpuPct == null ? '-' : formatPct(self.cpuPct + (self.bpfCpuPct ?? 0))) },
  { title: 'AGENT MEM', align: 'right', text: ({ self }) => (self?.rssBytes == null ? '-' : formatBytes(self.rssBytes)) },
  { title: 'KERNEL', align: 'left', text: ({ info }) => (info === null ? '-' : `${info.kernel} ${info.arch}`) },
];

const LONGEST = 32;
/** Of a reason below its node. */
const INDENT = 2;

export function nodesTitle(state: State): Piece[] {
  const nodes = state.shown?.frame.nodes ?? [];
  const clocks = clockText(nodes);
  return [{ text: 'nodes', role: 'title', rank: 0 }, { text: nodesText(nodes), role: 'text', rank: 1 }, ...(clocks === null ? [] : [{ text: clocks, role: 'warn' as const, rank: 1 }])];
}

/** Lines of exactly `width` cells: a table, and below each node that is not ok the reason. */
export function nodesLines(state: State, pen: Pen, width: number): string[] {
  const nodes = state.shown?.frame.nodes ?? [];
  const widths = FIELDS.map((field) => Math.min(LONGEST, Math.max(field.title.length, ...nodes.map((node) => pen.width(pen.clean(field.text(node)))))));
  const line = (texts: readonly string[], role: (i: number) => Role): string => {
    let out = '', used = 0;
    for (const [i, field] of FIELDS.entries()) {
      const cells = widths[i] ?? 0, gap = i === 0 ? 0 : 2;
      if (used + gap + cells > width) break;
      out += ' '.repeat(gap) + pen.paint(role(i), pen.fit(pen.clean(texts[i] ?? ''), cells, field.align, 'middle'));
      used += gap + cells;
    }
    return out + ' '.repeat(Math.max(0, width - used));
  };
  if ((widths[0] ?? 0) > width) return nodes.flatMap((node) => textLines(pen, `${node.name} ${node.state}`, width));
  return [
    line(FIELDS.map(({ title }) => title), () => 'heading'),
    ...nodes.flatMap((node) => [
      line(FIELDS.map((field) => field.text(node)), (i) => (i === 0 ? 'strong' : i === 1 ? ROLES[node.state] : 'text')),
      ...(node.reason === null ? [] : textLines(pen, node.reason, Math.max(1, width - INDENT), ROLES[node.state]).map((text) => pen.fit('', Math.min(INDENT, width - 1)) + text)),
    ]),
    blankLine(width),
    ...textLines(pen, 'CLOCK: ahead (+) of this machine\'s or behind it, the way of its Frames included. SKIPPED: Frames that came faster than this view ticks; their events and losses were told with the next. AGENT%: CPU of kbtop and its BPF programs there, of one CPU.', width, 'dim'),
  ];
}
