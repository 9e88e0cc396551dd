/** The first line: which node, what state kbtop itself is in, what was lost, what it costs. */
import type { PaneId } from '../../frame/frame.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { formatBytes, formatCount, formatPct, formatTime } from '../../frame/units.ts';
import { intervalText } from '../commands/measure.ts';
import type { LinePiece } from '../draw/line.ts';
import { drawLine, linePiece } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { State } from '../model.ts';
import { paneOf } from '../rows.ts';
import { scopeOf } from '../view.ts';

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

/** Exactly `width` cells. */
export function drawHeader(state: State, pen: Pen, width: number): string {
  const { shown } = state;
  const frame = shown?.frame;
  const scope = scopeOf(state);
  const left: LinePiece[] = [
    { spans: [{ text: 'kbtop', role: 'key' }, ...(width >= 140 ? [{ text: ` ${state.version}`, role: 'dim' } as const] : [])], rank: 8 },
    ...(frame === undefined ? [] : [linePiece(frame.node.name, 'strong', 1)]),
    ...(scope === null ? [] : [linePiece(`${pen.symbols.more.right} ${scope.label}`, 'accent', 0)]),
    ...(frame === undefined ? [] : [
      linePiece(`linux ${frame.node.kernel}`, 'dim', 10),
      linePiece(`${frame.node.cpus} cpu${frame.node.cpus === 1 ? '' : 's'}`, 'dim', 11),
      linePiece(`cgroup ${frame.node.cgroupMode}`, 'dim', 12),
    ]),
    probes(state),
  ];
  const lost = shown?.history.lost() ?? 0;
  const right: LinePiece[] = [
    ...((frame?.chaos.length ?? 0) > 0 ? [linePiece(` CHAOS ${frame?.chaos.length} `, 'alarm', 0)] : []),
    ...(state.ended === null ? [] : [linePiece(` ${state.ended} `, 'banner', 0)]),
    ...(state.paused ? [linePiece(state.missed > 0 ? ` PAUSED +${state.missed} ` : ' PAUSED ', 'banner', 0)] : []),
    linePiece(`every ${intervalText(state.intervalMs)}s`, 'text', 3),
    lost > 0 ? linePiece(`lost ${formatCount(lost)}!`, 'bad', 0) : linePiece('lost 0', 'text', 2),
    ...self(state),
    ...(frame === undefined ? [] : [linePiece(formatTime(frame.time), 'text', 5)]),
  ];
  return drawLine(pen, width, left, right);
}
