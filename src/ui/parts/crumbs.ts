/** The way into the scope, for the header: "shop › deploy/web › web-9d6c › app › nginx 21925". */
import type { Pen } from '../draw/pen.ts';

/** Cells that a crumb keeps as long as leaving out others does not help. */
const LEAST = 12;

/**
 * The crumbs in at most `room` cells: long names lose their middle first, then the way begins later, since its end is
 * what the screen is about. Not painted.
 */
export function crumbText(pen: Pen, crumbs: readonly string[], room: number): string {
  const gap = ` ${pen.symbols.more.right} `;
  const names = crumbs.map((crumb) => pen.clean(crumb));
  const cells = names.map((name) => pen.width(name));
  const total = (from: number): number => cells.slice(from).reduce((n, one) => n + one, 0) + gap.length * (cells.length - 1 - from) + (from > 0 ? 1 + gap.length : 0);
  let from = 0;
  for (;;) {
    const excess = total(from) - room;
    if (excess <= 0) break;
    const longest = cells.slice(from).reduce((at, one, i) => (one > (cells[at] as number) ? from + i : at), from);
    const most = cells[longest] ?? 0;
    if (most > LEAST) {
      // Not below the next longest: names of about the same length are cut alike.
      const next = Math.max(LEAST, ...cells.slice(from).filter((one) => one < most));
      cells[longest] = Math.max(next, most - excess);
    } else if (from < cells.length - 1) from += 1;
    else break;
  }
  const text = names.slice(from).map((name, i) => pen.fit(name, cells[from + i] as number, 'left', 'middle')).join(gap);
  return from > 0 ? `${pen.symbols.ellipsis}${gap}${text}` : text;
}
