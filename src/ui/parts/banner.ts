/** The line above the panes while something is armed, in every view: what, whom, how much longer, and how it is stopped. */
import type { AllArmed, Armed } from '../chaos/armed.ts';
import { allArmed, canStop, leftText } from '../chaos/armed.ts';
import type { Pen } from '../draw/pen.ts';
import { typesText } from '../keymap.ts';
import type { State } from '../model.ts';
import { formatCount } from '../../frame/units.ts';
import type { Role } from '../theme.ts';

/** Cells that a target keeps before other parts leave. */
const LEAST_TARGET = 10;

const hitsText = ({ hits, maxHits }: Armed): string => `${formatCount(hits)}${maxHits === null ? '' : `/${formatCount(maxHits)}`} hits`;

/** The parts of the line with and without what leaves first; the target takes what they leave. */
function versions(first: Armed, others: string, word: string): readonly (readonly [before: string, after: string])[] {
  const lead = `${word} ${first.rule} on `;
  const left = `${leftText(first.leftMs)} left`;
  return [[lead, ` ${left} ${hitsText(first)}${others}`], [lead, ` ${left}${others}`], [lead, ` ${left}`]];
}

/** "CHAOS openat ENOSPC on shop/web-1/nginx 12s left 37/100 hits +1 more" in `room` cells. */
function armedText(pen: Pen, { real, dry }: AllArmed, room: number): string {
  const [first] = real.length > 0 ? real : dry;
  if (first === undefined) return '';
  const word = real.length > 0 ? 'CHAOS' : 'DRY RUN';
  const more = (real.length > 0 ? real : dry).length - 1;
  const others = `${more > 0 ? ` +${more} more` : ''}${real.length > 0 && dry.length > 0 ? ` +${dry.length} dry` : ''}`;
  const target = pen.clean(first.target);
  for (const [before, after] of versions(first, others, word)) {
    const rest = room - pen.width(pen.clean(before)) - pen.width(after);
    if (rest >= Math.min(LEAST_TARGET, pen.width(target))) return pen.clean(before) + pen.fit(target, Math.min(rest, pen.width(target)), 'left', 'middle') + after;
  }
  return pen.fit(`${word} ${first.rule} ${leftText(first.leftMs)}`, room);
}

/** How everything is stopped from here; '' where nothing can be: without a door, or when others have armed it. */
function stopText(state: State): readonly string[] {
  if (!canStop(state)) return [''];
  return typesText(state) ? ['F9 or ^X stops all', 'F9 stops all', 'F9'] : ['X stops all', 'X'];
}

/** Exactly `width` cells. */
export function drawBanner(state: State, pen: Pen, width: number): string {
  const armed = allArmed(state);
  const gone = state.chaos?.gone ?? null;
  const nothing = armed.real.length === 0 && armed.dry.length === 0;
  if (nothing && gone !== null) {
    const text = `CHAOS IS GONE while ${gone.armed} fault${gone.armed === 1 ? ' was' : 's were'} armed: ${gone.reason}; the kernel holds none any more. c or X hides this`;
    return pen.paint('alarm', pen.fit(` ${text}`, width));
  }
  const role: Role = armed.real.length > 0 ? 'alarm' : 'caution';
  // On the narrowest screens what stops it is half of the line.
  const stop = stopText(state).find((text) => text.length + 2 <= width / 2) ?? '';
  const room = Math.max(0, width - 2 - (stop === '' ? 0 : stop.length + 1));
  return pen.paint(role, pen.fit(` ${pen.fit(armedText(pen, armed, room), room)}${stop === '' ? '' : ` ${stop}`} `, width));
}
