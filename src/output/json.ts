/** A Frame as JSON: the schema is the Frame itself. */
import type { Frame } from '../frame/frame.ts';

/** A pair of numbers that JSON.stringify spread over lines. Strings never hold a raw newline, so none is touched. */
const PAIR = /\[\n\s+(-?[\d.e+-]+),\n\s+(-?[\d.e+-]+)\n\s+\]/g;

/** Indented, each histogram bucket on one line. */
export const frameJson = (frame: Frame): string => `${JSON.stringify(frame, null, 2).replace(PAIR, '[$1, $2]')}\n`;

/** On one line. */
export const frameNdjson = (frame: Frame): string => `${JSON.stringify(frame)}\n`;
