/** The line that says which time is shown: when that was, how far it is from the newest or from the start, and where between. */
import { formatTime } from '../../frame/units.ts';
import type { LinePiece } from '../draw/line.ts';
import { drawLine, linePiece } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { State } from '../model.ts';
import type { Travel } from './model.ts';
import { newer } from './model.ts';
import { spanText } from './moment.ts';
import { speedText } from './playback.ts';

/** The track is left out when it has fewer cells. */
const LEAST_TRACK = 8;
const MOST_TRACK = 100;

/** A screen that can only be held has nowhere to go: the header says all there is. */
export const hasTimeBar = (state: State): boolean => state.travel !== null && state.reach !== 'none';

/** Before it, the Frame that is shown, after it, and what is missing between. */
const TRACK = { before: '━', here: '█', after: '─', gap: '╎' };
const ASCII_TRACK = { before: '=', here: '#', after: '-', gap: ':' };

/** Local date of a time, as times of day are local. */
function dateText(time: number): string {
  const date = new Date(time);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function clockText(time: number): string {
  return formatTime(new Date(time).toISOString());
}

/** Exactly `cells` cells: every Frame takes as much as every other, however long it was. Not painted. */
export function track({ index, first, end, gaps }: Travel, cells: number, ascii: boolean): string {
  const signs = ascii ? ASCII_TRACK : TRACK;
  const cellOf = (at: number): number => Math.max(0, Math.min(cells - 1, Math.round(((at - first) / Math.max(1, end - 1 - first)) * (cells - 1))));
  const here = cellOf(index);
  const line = Array.from({ length: cells }, (_, i) => (i < here ? signs.before : signs.after));
  for (const gap of gaps) if (gap.index > first && gap.index < end) line[cellOf(gap.index)] = signs.gap;
  line[here] = signs.here;
  return line.join('');
}

function modePiece({ playing, speed }: Travel): LinePiece {
  return { spans: [{ text: playing ? ` PLAY ${speedText(speed)} ` : ' PAUSED ', role: 'banner' }], rank: 0 };
}

/** From the newest Frame, or from the first one of a recording. */
function placeText({ time, firstTime, lastTime }: Travel, recording: boolean): string {
  if (recording) return `+${spanText(time - firstTime)} of ${spanText(lastTime - firstTime)}`;
  return lastTime - time < 1 ? 'newest' : `${spanText(lastTime - time)} before now`;
}

/** Exactly `width` cells. */
export function drawTimeBar(state: State, pen: Pen, width: number): string {
  const { travel } = state;
  if (travel === null) return ' '.repeat(width);
  const recording = state.reach === 'recording';
  const left: LinePiece[] = [
    { spans: [...(recording || width >= 120 ? [{ text: `${dateText(travel.time)} `, role: 'text' } as const] : []), { text: clockText(travel.time), role: 'strong' }], rank: 0 },
    linePiece(placeText(travel, recording), 'accent', 1),
  ];
  const right: LinePiece[] = [
    ...(travel.settled ? [] : [linePiece('adding up ...', 'dim', 3)]),
    ...(travel.playing || travel.speed === 1 ? [] : [linePiece(speedText(travel.speed), 'text', 4)]),
    ...(travel.gaps.length === 0 ? [] : [linePiece(`${travel.gaps.length} gap${travel.gaps.length === 1 ? '' : 's'}`, 'warn', 3)]),
    linePiece(`${travel.index - travel.first + 1}/${travel.end - travel.first}`, 'dim', 2),
    modePiece(travel),
  ];
  const cells = (pieces: readonly LinePiece[]): number => pieces.reduce((n, { spans }) => n + spans.reduce((sum, { text }) => sum + pen.width(pen.clean(text)), 0) + 2, 0);
  // What is left between the two ends, inside the edges.
  const room = Math.min(MOST_TRACK, width - 2 - cells(left) - cells(right));
  if (room < LEAST_TRACK) return drawLine(pen, width, left, right);
  return drawLine(pen, width, [...left, linePiece(track(travel, room, pen.ascii), 'bar', 5)], right);
}

/** For the header: that what is shown is not what is now. */
export function travelPieces(state: State): LinePiece[] {
  const { travel, replay } = state;
  if (replay !== null) return [linePiece(` ${replay} `, 'banner', 0), ...(travel === null ? [] : [linePiece(dateText(travel.time), 'text', 1), linePiece(clockText(travel.time), 'text', 3)])];
  if (travel === null) return [];
  const since = newer(travel);
  return [linePiece(` ${travel.playing ? `PLAY ${speedText(travel.speed)}` : 'PAUSED'}${since > 0 ? ` +${since}` : ''} `, 'banner', 0)];
}
