/** Company in the first and the last line. */
import type { LinePiece } from '../../draw/line.ts';
import { linePiece } from '../../draw/line.ts';
import type { Pen } from '../../draw/pen.ts';
import type { State } from '../../model.ts';
import { driverOf, isDriving, isFollowing, selfOf } from '../model.ts';
import { notesOf } from '../notes.ts';

/** From this width on, names have more room and the header says how many follow. */
const WIDE = 120;
/** Below this one it says only what this screen does. */
const NARROW = 60;

/** "3 viewers, following alice". */
export function companyPieces(state: State, pen: Pen): LinePiece[] {
  const { company, size: { width } } = state;
  if (company === null) return [];
  if (selfOf(state) === null) return [linePiece('session out of reach', 'warn', 1)];
  const driver = driverOf(state);
  const name = pen.clean(driver?.name ?? '');
  const most = width >= WIDE ? 24 : 14;
  const short = pen.width(name) > most ? pen.fit(name, most, 'left', 'middle') : name;
  const count = company.viewers.length;
  const followers = company.viewers.filter(({ follows }) => follows).length;
  const head = width < NARROW ? '' : `${count} viewer${count === 1 ? '' : 's'}`;
  const what = driver === null ? '' : isDriving(state) ? `you drive${width >= WIDE ? `, ${followers} follow${followers === 1 ? 's' : ''}` : ''}` : isFollowing(state) ? `following ${short}` : `${short} drives`;
  const text = [head, what].filter((part) => part !== '').join(', ');
  return text === '' ? [] : [linePiece(text, isDriving(state) || isFollowing(state) ? 'accent' : 'text', 1)];
}

/** What is not as on the driver's screen: before the keys, as long as it is so. */
export function notePieces(state: State): LinePiece[] {
  const [first, ...others] = notesOf(state);
  if (first === undefined || !isFollowing(state)) return [];
  return [linePiece(`${first}${others.length > 0 ? ` (+${others.length}, V)` : ''}`, 'accent', 0)];
}
