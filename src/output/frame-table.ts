/** A Frame as text for people: one section per pane, from the panes' columns. */
import { escapeForTerminal } from '../frame/escape.ts';
import type { Frame, Loss, PaneId } from '../frame/frame.ts';
import { contextOf } from '../frame/names.ts';
import { nodesText } from '../frame/nodes.ts';
import { formatBytes, formatPct, formatRate, formatValue } from '../frame/units.ts';
import { type AnyColumn, type AnyPane, paneDef, rowsOf, tableColumns } from './any-pane.ts';
import { type TableOptions, type TextCell, type TextColumn, tableLines } from './text-table.ts';

const LOSS_WORDS = {
  lostRing: 'ring buffer full', lostMap: 'map full', lostFault: 'unreadable memory', overBudget: 'over the row budget', unattributed: 'container unknown',
} as const satisfies Partial<Record<keyof Loss, string>>;
const LOSS_KEYS = Object.keys(LOSS_WORDS) as (keyof typeof LOSS_WORDS)[];

/** "lost: seen 100, kept 90, 10 ring buffer full"; null when nothing was. */
export function lossLine(loss: Loss): string | null {
  const causes = LOSS_KEYS.filter((key) => loss[key] > 0).map((key) => `${loss[key]} ${LOSS_WORDS[key]}`);
  return causes.length === 0 ? null : `lost: seen ${loss.seen}, kept ${loss.kept}, ${causes.join(', ')}`;
}

function textColumn(column: AnyColumn): TextColumn {
  const cuttable = column.align === 'left' && column.width.grow > 0;
  return { heading: column.title, align: column.align, rank: column.rank, ...(cuttable && { cut: column.cut ?? 'end', min: column.width.min, comfort: column.width.ideal ?? column.width.min }) };
}

/** The rows of one pane as a table. */
export function paneLines(frame: Frame, pane: AnyPane, options: TableOptions & { readonly rows?: number | null }): string[] {
  const columns = tableColumns(pane, frame);
  const context = contextOf(frame);
  const all = rowsOf(frame, pane.id);
  const shown = all.slice(0, options.rows ?? all.length);
  const rows = shown.map((row) => columns.map((column): TextCell => {
    const text = column.text?.(row, context) ?? formatValue(column.value(row, context), column.unit, options.ascii);
    const severity = column.severity?.(row, context);
    return { text: escapeForTerminal(text), ...(severity && { severity }) };
  }));
  const lines = tableLines(columns.map(textColumn), rows, options);
  if (shown.length < all.length) lines.push(`${all.length - shown.length} more: --limit N shows N rows`);
  return lines;
}

/** "node worker-1  linux 6.1.0  cgroup v2  5s to 2026-11-21T02:00:05.000Z  kbtop 1.2% CPU 96M". */
function frameLine(frame: Frame): string {
  const { node, self } = frame;
  const own = [self.cpuPct === null ? null : `${formatPct(self.cpuPct)}% CPU`, self.rssBytes === null ? null : formatBytes(self.rssBytes)].filter((part) => part !== null);
  return [
    ...(frame.nodes === undefined ? [`node ${escapeForTerminal(node.name)}`] : [`cluster ${escapeForTerminal(node.name)}`, nodesText(frame.nodes)]), `linux ${escapeForTerminal(node.kernel)}`, `cgroup ${node.cgroupMode}`,
    `${Number((frame.intervalMs / 1000).toFixed(3))}s to ${escapeForTerminal(frame.time)}`, ...(own.length > 0 ? [`kbtop ${own.join(' ')}`] : []),
  ].join('  ');
}

function sectionTitle(frame: Frame, id: PaneId): string {
  const pane = frame.panes[id];
  const rate = 'totals' in pane ? `  ${formatRate(pane.ratePerSec)}/s` : '';
  const level = pane.state.level === null || pane.state.level === 'latency' ? '' : `  level ${pane.state.level}`;
  const state = pane.state.status === 'ok' ? '' : `  ${pane.state.status}`;
  const reason = pane.state.reason === null ? '' : `: ${escapeForTerminal(pane.state.reason)}`;
  return paneDef(id).title.toUpperCase() + rate + level + state + reason;
}

export interface FrameTableOptions extends TableOptions {
  readonly panes: readonly PaneId[];
  /** Write the frame's and the panes' title lines: false leaves a table that awk can read. */
  readonly titles: boolean;
  /** Draw so many rows per pane and count the others; absent or null: all. */
  readonly rows?: number | null;
}

/** The whole text of a Frame, ending in a newline. */
export function frameTable(frame: Frame, options: FrameTableOptions): string {
  const sections = options.panes.map((id) => {
    const pane = frame.panes[id];
    const lost = lossLine(pane.loss);
    return [
      ...(options.titles ? [sectionTitle(frame, id)] : []),
      ...(pane.state.status === 'ok' ? paneLines(frame, paneDef(id), options) : []),
      ...(lost === null ? [] : [lost]),
    ].map((line) => `${line}\n`).join('');
  });
  return [...(options.titles ? [`${frameLine(frame)}\n`] : []), ...sections].join(options.titles ? '\n' : '');
}
