/** Frames as NDJSON, as `snapshot -o ndjson` writes them: read whole, parsed when asked for. */
import type { Frame } from '../../frame/frame.ts';
import { complete } from './complete.ts';
import { FrameCache } from './frame-cache.ts';
import { type Recording, RecordingError } from './recording.ts';
import { lastAtOrBefore } from './search.ts';
import { timeOf } from './time.ts';

const NEWLINE = 10;

function parse(line: string): Frame | null {
  try {
    return complete(JSON.parse(line));
  } catch {
    return null;
  }
}

export class NdjsonRecording implements Recording {
  readonly first = 0;
  readonly warnings: readonly string[];
  readonly #bytes: Buffer;
  /** Begin and end of each Frame's line, and its time. */
  readonly #places: { readonly begin: number; readonly end: number; readonly time: number }[] = [];
  readonly #cache = new FrameCache();

  /** @param name for messages @throws RecordingError when there is no Frame in it */
  constructor(bytes: Buffer, name: string) {
    this.#bytes = bytes;
    let bad = 0, firstBad = 0, lines = 0, torn = false, latest = Number.NEGATIVE_INFINITY;
    for (let begin = 0; begin < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, begin), end = newline === -1 ? bytes.length : newline;
      lines++;
      const text = bytes.toString('utf8', begin, end);
      if (text.trim() !== '') {
        const frame = parse(text);
        const time = frame && timeOf(frame);
        if (time !== null && time !== undefined) this.#places.push({ begin, end, time: latest = Math.max(latest, time) });
        else if (newline === -1) torn = true;
        else if (bad++ === 0) firstBad = lines;
      }
      begin = end + 1;
    }
    if (this.#places.length === 0) throw new RecordingError(`${name} holds no Frames: record some with kbtop record -o FILE, or kbtop snapshot -o ndjson`);
    this.warnings = [
      ...(bad > 0 ? [`${name}: ${bad} of ${lines} lines are no Frames, the first of them line ${firstBad}; they are left out`] : []),
      ...(torn ? [`${name}: its last line is not complete and is left out`] : []),
    ];
  }

  get end(): number {
    return this.#places.length;
  }

  #place(index: number): { readonly begin: number; readonly end: number; readonly time: number } {
    const place = this.#places[index];
    if (place === undefined) throw new RangeError(`there is no Frame ${index}: the recording has ${this.end}`);
    return place;
  }

  time(index: number): number {
    return this.#place(index).time;
  }

  frame(index: number): Frame {
    const { begin, end } = this.#place(index);
    return this.#cache.get(index, () => parse(this.#bytes.toString('utf8', begin, end)) as Frame);
  }

  indexAt(time: number): number {
    return lastAtOrBefore(this, time);
  }

  close(): void {}
}
