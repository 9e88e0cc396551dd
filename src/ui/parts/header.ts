/** The first line: which node, what state kbtop itself is in, what was lost, what it costs. */
import type { Frame, PaneId } from '../../frame/frame.ts';
import { clockText, nodesText, worstState } from '../../frame/nodes.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { formatBytes, formatCount, formatPct, formatTime } from '../../frame/units.ts';
import { companyPieces } from '../company/draw/parts.ts';
import { intervalText } from '../commands/measure.ts';
import type { LinePiece } from '../draw/line.ts';
import { drawLine, linePiece } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { State } from '../model.ts';
import { travelPieces } from '../travel/bar.ts';
import { paneOf } from '../rows.ts';
import { stalePieces } from '../stale.ts';
import { scopeOf } from '../view.ts';
import { crumbText } from './crumbs.ts';

/** "5/5 probes", or which are not up and why in a word. */
function probes(state: State): LinePiece {
  const panes = state.shown?.frame.panes;
  const bad = (status: string): PaneId[] => PANE_IDS.filter((id) => panes?.[id].state.status === status);
  const up = PANE_IDS.length - bad('loading').length - bad('off').length - bad('error').length;
  const text = `${panes === undefined ? 0 : up}/${PANE_IDS.length} probes`;
  const why = (['error', 'off', 'loading'] as const).flatMap((status) => (bad(status).length === 0 ? [] : [`${bad(status).map((id) => paneOf(id).title).join(', ')} ${status === 'error' ? 'failed' : status}`]));
  const role = bad('error').length > 0 ? 'bad' : up < PANE_IDS.length && panes !== undefined ? 'warn' : 'text';
  return { spans: [{ text, role }, ...(why.length > 0 && state.size.width >= 120 ? [{ text: ` (${why.join('; ')})`, role } as const] : [])], rank: role === 'text' ? 6 : 2 };
}

function self(state: State): LinePiece[] {
  const { self: cost } = state.shown?.frame ?? {};
  if (cost === undefined || cost.cpuPct === null) return [];
  const bpf = cost.bpfCpuPct === null ? '' : `+${formatPct(cost.bpfCpuPct)}`;
  return [
    linePiece(`self ${formatPct(cost.cpuPct)}${bpf}%`, 'text', 4),
    ...(cost.rssBytes === null ? [] : [linePiece(formatBytes(cost.rssBytes), 'dim', 9)]),
  ];
}

/** The way into the scope, in the room that what is never left out leaves, with the node's name and what was lost. */
function crumbs(state: State, pen: Pen, right: readonly LinePiece[], width: number): LinePiece[] {
  const scope = scopeOf(state);
  if (scope === null) return [];
  const cells = ({ spans }: LinePiece): number => spans.reduce((n, span) => n + pen.width(pen.clean(span.text)), 0) + 2;
  const name = state.shown?.frame.node.name ?? '';
  const taken = right.filter(({ rank }) => rank <= 2).reduce((n, piece) => n + cells(piece), 0) + Math.min(32, pen.width(pen.clean(name)) + 2);
  const lead = `${pen.symbols.more.right} `;
  return [linePiece(lead + crumbText(pen, scope.crumbs ?? [scope.label], Math.max(16, width - 4 - taken - lead.length)), 'accent', 0)];
}

/** "5 nodes, 1 late": those that are missing before anything else. */
function nodes({ nodes: all }: Frame): LinePiece[] {
  if (all === undefined) return [];
  const worst = worstState(all), clocks = clockText(all);
  const role = worst === 'ok' ? 'text' : worst === 'late' || worst === 'connecting' ? 'warn' : 'bad';
  return [linePiece(nodesText(all), role, role === 'text' ? 1 : 0), ...(clocks === null ? [] : [linePiece(clocks, 'warn', 3)])];
}

/** What there is to know of the machine, or of the machines together. */
function machine({ node, nodes: all }: Frame): LinePiece[] {
  return [
    ...(node.kernel === '' ? [] : [linePiece(`linux ${node.kernel}`, 'dim', 10)]),
    ...(node.cpus === 0 ? [] : [linePiece(`${node.cpus} cpu${node.cpus === 1 ? '' : 's'}`, 'dim', 11)]),
    ...(all === undefined ? [linePiece(`cgroup ${node.cgroupMode}`, 'dim', 12)] : []),
  ];
}

/** Exactly `width` cells. */
export function drawHeader(state: State, pen: Pen, width: number): string {
  const { shown } = state;
  const frame = shown?.frame;
  const left = (right: readonly LinePiece[]): LinePiece[] => [
    { spans: [{ text: 'kbtop', role: 'key' }, ...(width >= 140 ? [{ text: ` ${state.version}`, role: 'dim' } as const] : [])], rank: 8 },
    ...(frame === undefined ? [] : [linePiece(frame.node.name, 'strong', 1)]),
    ...(frame === undefined ? [] : nodes(frame)),
    ...crumbs(state, pen, right, width),
    ...(frame === undefined ? [] : machine(frame)),
    probes(state),
  ];
  const lost = shown?.history.lost() ?? 0;
  const right: LinePiece[] = [
    ...(state.ended === null ? [] : [linePiece(` ${state.ended} `, 'banner', 0)]),
    ...stalePieces(state),
    ...travelPieces(state),
    ...companyPieces(state, pen),
    ...(state.replay === null ? [linePiece(`every ${intervalText(state.intervalMs)}s`, 'text', 3)] : []),
    state.travel?.settled === false ? linePiece('lost ?', 'dim', 2) : lost > 0 ? linePiece(`lost ${formatCount(lost)}!`, 'bad', 0) : linePiece('lost 0', 'text', 2),
    ...self(state),
    ...(frame === undefined || state.replay !== null ? [] : [linePiece(formatTime(frame.time), 'text', 5)]),
  ];
  return drawLine(pen, width, left(right), right);
}
