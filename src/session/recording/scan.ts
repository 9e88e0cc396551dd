/**
 * Where the Frames of a recording lie, found by walking over its headers and checking every checksum. What does not fit is
 * skipped up to the next block.
 */
import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { BLOCK_HEADER, decodeBlock, decodeFrame, FRAME_HEADER, MARKER_BYTES, MAX_BLOCK_FRAMES, MAX_FRAME_BYTES, startsBlock } from './format.ts';

const WINDOW = 1 << 18;

/** A file seen through a window. */
class Window {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(WINDOW);
  #start = 0;
  #length = 0;
  readonly end: number;

  constructor(fd: number, end: number) {
    this.#fd = fd;
    this.end = end;
  }

  /** Bytes from `at` on, `want` of them or what there is up to the end; good until the next call. @param want at most the window */
  at(at: number, want: number): Buffer {
    if (at < this.#start || at + want > this.#start + this.#length) {
      this.#start = at;
      this.#length = 0;
      const most = Math.max(0, Math.min(WINDOW, this.end - at));
      while (this.#length < most) {
        const read = readSync(this.#fd, this.#buffer, this.#length, most - this.#length, at + this.#length);
        if (read === 0) break;
        this.#length += read;
      }
    }
    const from = at - this.#start;
    return this.#buffer.subarray(from, Math.max(from, Math.min(this.#length, from + want)));
  }
}

export interface FoundBlock {
  /** Of its header. */
  readonly offset: number;
  /** Index of its first Frame. */
  readonly first: number;
}

/** Bytes that are not Frames. */
export interface Damage {
  readonly offset: number;
  readonly bytes: number;
  /** It reaches to the end of the file, as after a crash. */
  readonly torn: boolean;
}

export interface Scan {
  readonly blocks: readonly FoundBlock[];
  /** By Frame: offset of its bytes, their number, its time, and its block. Times never fall. */
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
  readonly times: readonly number[];
  readonly blockOf: readonly number[];
  readonly damages: readonly Damage[];
  /** Behind the last whole Frame. */
  readonly end: number;
}

/** @param start behind the header @param end of the file */
export function scan(fd: number, start: number, end: number): Scan {
  const window = new Window(fd, end);
  const blocks: FoundBlock[] = [], offsets: number[] = [], sizes: number[] = [], times: number[] = [], blockOf: number[] = [], damages: Damage[] = [];
  let at = start, lastGood = start, base: number | null = null, latest = Number.NEGATIVE_INFINITY;
  while (at < end) {
    const step = base === null ? null : frameAt(window, at);
    const inBlock = step !== null && offsets.length - (blocks.at(-1)?.first ?? 0) < MAX_BLOCK_FRAMES;
    if (inBlock) {
      latest = Math.max(latest, (base as number) + step.sinceMs);
      offsets.push(at + FRAME_HEADER);
      sizes.push(step.size);
      times.push(latest);
      blockOf.push(blocks.length - 1);
      lastGood = at += FRAME_HEADER + step.size;
      continue;
    }
    const time = blockAt(window, at);
    if (time !== null) {
      base = time;
      blocks.push({ offset: at, first: offsets.length });
      at += BLOCK_HEADER;
      continue;
    }
    const next = nextBlock(window, at + 1);
    damages.push({ offset: at, bytes: (next ?? end) - at, torn: next === null });
    if (next === null) break;
    at = next;
  }
  return { blocks, offsets, sizes, times, blockOf, damages, end: lastGood };
}

/** Null when no whole Frame stands there. */
function frameAt(window: Window, at: number): { readonly size: number; readonly sinceMs: number } | null {
  const bytes = window.at(at, FRAME_HEADER);
  if (bytes.length < FRAME_HEADER || startsBlock(bytes, 0)) return null;
  const { size, sinceMs, checksum, begun } = decodeFrame(bytes, 0);
  if (size > MAX_FRAME_BYTES || at + FRAME_HEADER + size > window.end) return null;
  let sum = begun;
  for (let done = 0; done < size;) {
    const part = window.at(at + FRAME_HEADER + done, Math.min(WINDOW, size - done));
    if (part.length === 0) return null;
    sum = crc32(part, sum);
    done += part.length;
  }
  return sum === checksum ? { size, sinceMs } : null;
}

function blockAt(window: Window, at: number): number | null {
  const bytes = window.at(at, BLOCK_HEADER);
  return bytes.length < BLOCK_HEADER ? null : decodeBlock(bytes, 0);
}

/** Where the next block begins, from `at` on; null for nowhere. */
function nextBlock(window: Window, from: number): number | null {
  for (let at = from; at + BLOCK_HEADER <= window.end;) {
    const bytes = window.at(at, WINDOW);
    const found = bytes.indexOf(MARKER_BYTES);
    if (found === -1) {
      if (bytes.length < MARKER_BYTES.length) return null;
      at += bytes.length - MARKER_BYTES.length + 1;
    } else if (blockAt(window, at + found) !== null) {
      return at + found;
    } else {
      at += found + 1;
    }
  }
  return null;
}
