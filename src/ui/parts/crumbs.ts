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
  const total = (from: number, least = Infinity): number =>
    cells.slice(from).reduce((n, one) => n + Math.min(one, least) + gap.length, from > 0 ? 1 : -gap.length);
  let from = 0;
  while (from < cells.length - 1 && total(from, LEAST) > room) from += 1;
  for (let excess = total(from) - room; excess > 0; excess = total(from) - room) {
    const longest = cells.reduce((at, one, i) => (i > from && one > (cells[at] as number) ? i : at), from);
    const most = cells[longest] as number;
    if (most <= LEAST) break;
    // Not below the next longest: names of about the same length are cut alike.
    cells[longest] = Math.max(LEAST, most - excess, ...cells.slice(from).filter((one) => one < most));
  }
  const text = names.slice(from).map((name, i) => pen.fit(name, cells[from + i] as number, 'left', 'middle')).join(gap);
  return from > 0 ? `${pen.symbols.ellipsis}${gap}${text}` : text;
}
