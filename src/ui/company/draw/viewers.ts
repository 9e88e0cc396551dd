/** Who looks at the same capture: one line each. */
import { formatCount } from '../../../frame/units.ts';
import type { Pen } from '../../draw/pen.ts';
import type { State } from '../../model.ts';
import { blankLine, entryLines, headingLine, textLines } from '../../overlays/text.ts';
import type { Viewer } from '../../../frame/company.ts';
import { driverOf, isDriving, isFollowing } from '../model.ts';
import { notesOf } from '../notes.ts';

interface Cell {
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
  text(viewer: Viewer): string;
}

const DOES = 'looks around alone';

function doesOf(state: State, { drives, follows }: Viewer): string {
  if (drives) return 'drives';
  if (follows) return 'follows';
  return driverOf(state) === null ? '' : DOES;
}

/** All but the name, which takes what they leave. */
const cellsOf = (state: State): readonly Cell[] => [
  { title: 'DOES', width: DOES.length, align: 'left', text: (viewer) => doesOf(state, viewer) },
  { title: 'CONTROL', width: 7, align: 'left', text: ({ control }) => (control ? 'yes' : 'no') },
  { title: 'UID', width: 6, align: 'right', text: ({ uid }) => (uid === null ? '-' : String(uid)) },
  { title: 'SKIPPED', width: 7, align: 'right', text: ({ skipped }) => formatCount(skipped) },
];

/** Cells of the mark before this screen's own line. */
const MARK = 4;
const LEAST_NAME = 12;

function keysText(state: State): string {
  const wheel = isDriving(state) ? 'D lets go of the wheel' : 'D takes the wheel';
  if (isDriving(state)) return `${wheel}.`;
  return `${wheel}; F ${isFollowing(state) ? 'stops following' : 'follows whoever drives'}.`;
}

/** Lines of exactly `width` cells. */
export function viewerLines(state: State, pen: Pen, width: number): string[] {
  const { company } = state;
  if (company === null) return [];
  const cells = cellsOf(state), notes = notesOf(state);
  // Of a narrow list the last columns leave.
  const used = (n: number): number => cells.slice(0, n).reduce((sum, cell) => sum + cell.width + 2, 0);
  let shown = cells.length;
  while (shown > 1 && width - MARK - used(shown) < LEAST_NAME) shown -= 1;
  const nameWidth = Math.max(1, width - MARK - used(shown));
  const line = (mark: string, name: string, text: (cell: Cell) => string): string =>
    pen.fit(pen.fit(mark, MARK) + pen.fit(name, nameWidth, 'left', 'middle') + cells.slice(0, shown).map((cell) => `  ${pen.fit(text(cell), cell.width, cell.align)}`).join(''), width);
  return [
    pen.paint('heading', line('', 'NAME', (cell) => cell.title)),
    ...company.viewers.map((viewer) => pen.paint(viewer.drives ? 'accent' : 'text', line(viewer.id === company.self ? 'you' : '', viewer.name, (cell) => cell.text(viewer)))),
    ...(company.viewers.length === 0 ? textLines(pen, 'the session is out of reach', width, 'warn') : []), blankLine(width),
    ...(notes.length === 0 ? [] : [headingLine(pen, 'Not as on the driver\'s screen', width), ...notes.flatMap((note) => textLines(pen, note, width, 'accent')), blankLine(width)]),
    ...textLines(pen, keysText(state), width), blankLine(width),
    ...EXPLAINED.flatMap(([name, text]) => entryLines(pen, name, text, 8, width, { name: 'dim', text: 'dim' })),
  ];
}

const EXPLAINED: readonly (readonly [string, string])[] = [
  ['follows', 'sees the driver\'s pane, selection, filter, order, scope and pause until it takes a step of its own'],
  ['control', 'may arm faults and change levels and the interval'],
  ['skipped', 'Frames that did not get through in time; the newest one always does'],
];
