/** Holds back what anything else writes to the terminal while the screen is up: one stray line would tear it. */

/** Characters kept per stream. */
const LIMIT = 64 * 1024;

interface Holdable {
  readonly isTTY?: boolean;
  write: NodeJS.WriteStream['write'];
}

/**
 * Divert `stream.write`. A stream that is no terminal is left alone.
 * @returns gives the stream back and writes what was held
 */
export function holdWrites(stream: Holdable): () => void {
  if (stream.isTTY !== true) return () => {};
  const write = stream.write;
  let held = '';
  stream.write = function hold(data: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean {
    held = (held + (typeof data === 'string' ? data : Buffer.from(data).toString())).slice(-LIMIT);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') setImmediate(done as () => void);
    return true;
  } as NodeJS.WriteStream['write'];
  return () => {
    stream.write = write;
    if (held !== '') stream.write(held);
  };
}
