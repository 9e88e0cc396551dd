/** Lines of an overlay: headings, and names with their explanation beside them, wrapped. */
import type { Pen } from '../draw/pen.ts';
import type { Role } from '../theme.ts';

export const blankLine = (width: number): string => ' '.repeat(width);

export const headingLine = (pen: Pen, text: string, width: number): string => pen.paint('title', pen.fit(text, width));

/** Text over as many lines as it takes. */
export const textLines = (pen: Pen, text: string, width: number, role: Role = 'text'): string[] => pen.wrap(text, width).map((line) => pen.paint(role, pen.fit(line, width)));

/** `name  text`, the text wrapped beside a name of `nameWidth` cells. */
export function entryLines(pen: Pen, name: string, text: string, nameWidth: number, width: number, roles: { readonly name: Role; readonly text: Role } = { name: 'key', text: 'text' }): string[] {
  const room = width - nameWidth - 2;
  if (room < 8) return [...textLines(pen, name, width, roles.name), ...textLines(pen, text, width, roles.text)];
  const first = pen.paint(roles.name, pen.fit(name, nameWidth));
  return pen.wrap(text, room).map((line, i) => `${i === 0 ? first : ' '.repeat(nameWidth)}  ${pen.paint(roles.text, pen.fit(line, room))}`);
}

/** Two blocks beside each other. */
export function beside(left: readonly string[], right: readonly string[], leftWidth: number, rightWidth: number, gap: number): string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => (left[i] ?? blankLine(leftWidth)) + ' '.repeat(gap) + (right[i] ?? blankLine(rightWidth)));
}
