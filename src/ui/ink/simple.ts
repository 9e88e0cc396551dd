/**
 * The characters that nearly every cell of the screen holds: one UTF-16 unit, one column, and no part in any
 * grapheme cluster with a neighbour of this set. Text made of these and plain colour codes needs neither a
 * segmenter nor Unicode tables.
 */
const RANGES: readonly (readonly [number, number])[] = [
  [0x20, 0x7e], // printable ASCII
  [0xa1, 0xac], // Latin-1 without the soft hyphen
  [0xae, 0xff],
  [0x100, 0x17f], // Latin Extended-A
  [0x2010, 0x2027], // dashes, quotes, bullet, ellipsis
  [0x2190, 0x21ff], // arrows
  [0x2500, 0x25fc], // box drawing, blocks, shapes up to the two wide squares
  [0x25ff, 0x25ff],
  [0x2800, 0x28ff], // braille
];

const LAST = 0x28ff;
const table = new Uint8Array(LAST + 1);
for (const [first, last] of RANGES) table.fill(1, first, last + 1);

const ESC = 0x1b;

/** True for one of the simple characters' UTF-16 code units. */
export const isSimple = (unit: number): boolean => unit <= LAST && table[unit] === 1;

/** The index after the SGR sequence (`ESC [ digits and ; m`) that starts at `index`, or -1 when there is none. */
export function sgrEnd(text: string, index: number): number {
  if (text.charCodeAt(index) !== ESC || text.charCodeAt(index + 1) !== 0x5b) return -1;
  for (let i = index + 2; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x6d) return i + 1;
    if ((unit < 0x30 || unit > 0x39) && unit !== 0x3b) return -1;
  }
  return -1;
}
