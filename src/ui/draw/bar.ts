/** A horizontal bar in exact cells. */
import type { Pen } from './pen.ts';

/** A bar of `share` (0..1) of `width` cells; a share above zero leaves at least its smallest mark. Not painted. */
export function bar(pen: Pen, share: number, width: number): string {
  if (width <= 0) return '';
  const parts = pen.symbols.bar;
  const steps = Number.isFinite(share) && share > 0 ? Math.max(1, Math.round(Math.min(1, share) * width * parts.length)) : 0;
  const full = Math.floor(steps / parts.length);
  const rest = steps % parts.length;
  const text = (parts.at(-1) ?? '').repeat(full) + (rest > 0 ? (parts[rest - 1] ?? '') : '');
  return text + ' '.repeat(width - full - (rest > 0 ? 1 : 0));
}
