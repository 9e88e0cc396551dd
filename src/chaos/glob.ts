/**
 * Path patterns of rules, and the exact meaning that the BPF side mirrors.
 *
 * - `*` any run of bytes, also none, also over `/`; `?` one byte; `\` takes away the meaning of the byte after it.
 * - A pattern without `/` is held against the part of the path behind its last `/`, else against the whole path, each
 *   as the program passed it: nothing is resolved, `./a` is not `a`.
 * - Everything is bytes (of UTF-8), so `?` is one byte of a character that takes several.
 *
 * matchSteps() is the algorithm: four small integers of state and one step per round, without a stack. It goes back to
 * the last star only, which is enough, since what an earlier star would take longer the last one can take as well.
 */

export const GLOB_MAX_BYTES = 127;

const STAR = 0x2a, ANY = 0x3f, ESCAPE = 0x5c, SLASH = 0x2f;

/** Operations a pattern becomes: a byte, 256 for `?`, 257 for `*`. */
const OP_ANY = 256, OP_STAR = 257;

const utf8 = new TextEncoder();

export interface Glob {
  /** One operation per byte, `?` or `*`; runs of stars are one. */
  readonly operations: readonly number[];
  /** Held against the last part of the path only. */
  readonly nameOnly: boolean;
}

/** @throws RangeError whose message says what is wrong with the pattern */
export function parseGlob(pattern: string): Glob {
  const bytes = utf8.encode(pattern);
  if (bytes.length === 0) throw new RangeError('an empty pattern matches no path');
  if (bytes.length > GLOB_MAX_BYTES) throw new RangeError(`the pattern is ${bytes.length} bytes long: ${GLOB_MAX_BYTES} at most`);
  if (bytes.includes(0)) throw new RangeError('a path cannot hold a NUL byte');
  const operations: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === ESCAPE) {
      i++;
      const next = bytes[i];
      if (next === undefined) throw new RangeError('a pattern cannot end with \\');
      operations.push(next);
    } else if (byte === STAR) {
      if (operations.at(-1) !== OP_STAR) operations.push(OP_STAR);
    } else if (byte === 0x5b) {
      throw new RangeError('classes such as [a-z] are not known here; write \\[ for the character');
    } else {
      operations.push(byte === ANY ? OP_ANY : byte);
    }
  }
  return { operations, nameOnly: !operations.includes(SLASH) };
}

/** Holds operations against bytes: one comparison per round, at most (bytes + 1) × (operations + 1) rounds. */
function matchSteps(operations: readonly number[], bytes: Uint8Array): boolean {
  let o = 0, b = 0;
  /** Where to go on when a guess about the last star was wrong. */
  let starOperation = -1, starByte = 0;
  while (b < bytes.length) {
    const operation = operations[o];
    if (operation === OP_STAR) {
      o++;
      starOperation = o;
      starByte = b;
    } else if (operation !== undefined && (operation === OP_ANY || operation === bytes[b])) {
      o++;
      b++;
    } else if (starOperation >= 0) {
      o = starOperation;
      starByte++;
      b = starByte;
    } else {
      return false;
    }
  }
  return o === operations.length || (o === operations.length - 1 && operations[o] === OP_STAR);
}

/** Does the pattern match a path as the program passed it? */
export function matchGlob({ operations, nameOnly }: Glob, path: string): boolean {
  const bytes = utf8.encode(path);
  return matchSteps(operations, nameOnly ? bytes.subarray(bytes.lastIndexOf(SLASH) + 1) : bytes);
}
