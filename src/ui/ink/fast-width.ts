/**
 * string-width with a short way for simple text. The bundle puts this in the package's place (tools/bundle.mjs):
 * borders and blocks otherwise send every line of every frame through the emoji tables. An optimisation only;
 * without it the screen is the same.
 */
import stringWidth from 'string-width';
import type { Options } from 'string-width';
import { isSimple, sgrEnd } from './simple.ts';

/** Columns that `text` takes on a terminal; colour codes take none. */
export default function fastWidth(text: string, options?: Options): number {
  if (options !== undefined || typeof text !== 'string') return stringWidth(text, options);
  let width = 0;
  for (let i = 0; i < text.length; ) {
    if (isSimple(text.charCodeAt(i))) {
      width += 1;
      i += 1;
      continue;
    }
    i = sgrEnd(text, i);
    if (i === -1) return stringWidth(text);
  }
  return width;
}
