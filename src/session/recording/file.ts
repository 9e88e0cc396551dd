/** A recording in a file, as a Timeline: Frames are read when they are asked for. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Frame, SCHEMA } from '../../frame/frame.ts';
import { BlockReader } from './block.ts';
import { DamagedError } from './codec/coder.ts';
import { decodeHeader, type Header, isRecording, MAX_HEADER, VERSION } from './format.ts';
import { type Recording, RecordingError } from './recording.ts';
import { type Damage, type Scan, scan } from './scan.ts';
import { lastAtOrBefore } from './search.ts';

function head(fd: number): Buffer {
  const bytes = Buffer.alloc(MAX_HEADER);
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
}

/** Whether a file begins as a recording does. */
export const beginsAsRecording = (fd: number): boolean => isRecording(head(fd));

/** @param name for messages @throws RecordingError when this program cannot read on */
export function readHeader(fd: number, name: string): Header {
  const bytes = head(fd);
  const header = isRecording(bytes) ? decodeHeader(bytes) : null;
  if (!isRecording(bytes)) throw new RecordingError(`${name} is not a recording of kbtop`);
  if (header === null) throw new RecordingError(`${name} ends within its header: its writer was stopped before the first Frame`);
  if (header.version !== VERSION) throw new RecordingError(`${name} is a recording of format ${header.version}, this kbtop reads format ${VERSION}: use ${header.version > VERSION ? 'a newer' : 'an older'} kbtop`);
  if (header.schema === null) throw new RecordingError(`${name} is a recording whose header is damaged`);
  if (header.schema !== SCHEMA) throw new RecordingError(`${name} holds Frames of schema "${header.schema}", this kbtop reads ${SCHEMA}: use another kbtop`);
  return header;
}

const bytesText = (bytes: number): string => (bytes === 1 ? '1 byte' : `${bytes} bytes`);

function warning(name: string, { offset, bytes, torn }: Damage): string {
  if (torn) return `${name}: it ends in the middle of a Frame, as after a crash; ${bytesText(bytes)} at its end are left out`;
  return `${name}: it is damaged at byte ${offset}; ${bytesText(bytes)} up to the next whole block are left out`;
}

/** More of them say nothing more. */
const MAX_WARNINGS = 10;

export class RecordingFile implements Recording {
  readonly first = 0;
  readonly warnings: readonly string[];
  readonly #fd: number;
  readonly #name: string;
  readonly #found: Scan;
  readonly #reader = new BlockReader();
  #closed = false;

  private constructor(fd: number, name: string) {
    const { size } = readHeader(fd, name);
    this.#fd = fd;
    this.#name = name;
    this.#found = scan(fd, size, fstatSync(fd).size);
    const { damages, times } = this.#found;
    if (times.length === 0) throw new RecordingError(`${name} is a recording without any whole Frame`);
    const more = damages.length - MAX_WARNINGS;
    this.warnings = [...damages.slice(0, MAX_WARNINGS).map((damage) => warning(name, damage)), ...(more > 0 ? [`${name}: it is damaged in ${more} more places`] : [])];
  }

  /** @throws RecordingError, or the system's error with its code */
  static open(path: string, name = path): RecordingFile {
    const fd = openSync(path, 'r');
    try {
      return new RecordingFile(fd, name);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  get end(): number {
    return this.#found.times.length;
  }

  #require(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.end) throw new RangeError(`there is no Frame ${index}: the recording has ${this.end}`);
  }

  time(index: number): number {
    this.#require(index);
    return this.#found.times[index] as number;
  }

  /** @throws RangeError; RecordingError when the Frame's bytes are no Frame, which only a hostile writer leaves behind a good checksum */
  frame(index: number): Frame {
    this.#require(index);
    const { blocks, blockOf } = this.#found;
    const block = blockOf[index] as number, { first } = blocks[block] as Scan['blocks'][number];
    try {
      return this.#reader.frame(block, index - first, (place) => this.#bytes(first + place));
    } catch (error) {
      if (error instanceof DamagedError) throw new RecordingError(`${this.#name}: Frame ${index + 1} cannot be read: ${error.message}`, { cause: error });
      throw error;
    }
  }

  /** What the codec made of a Frame. */
  #bytes(index: number): Uint8Array {
    const { offsets, sizes } = this.#found;
    const bytes = Buffer.alloc(sizes[index] as number);
    if (readSync(this.#fd, bytes, 0, bytes.length, offsets[index] as number) !== bytes.length) throw new DamagedError('the file has become shorter');
    return bytes;
  }

  indexAt(time: number): number {
    return lastAtOrBefore(this, time);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.clear();
    closeSync(this.#fd);
  }
}
