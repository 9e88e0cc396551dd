/**
 * Writes Frames into a recording as they come. Encoding happens at once; the disk is waited for by nobody: what it does not
 * take in time is lost, counted and told. Every Frame is given to the kernel as soon as the one before is written, so it
 * outlives this process; every few seconds it goes to the disk.
 */
import { constants, write as writeCallback } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Frame } from '../../frame/frame.ts';
import { BlockEncoder } from './block.ts';
import { encodeBlock, encodeFrame, encodeHeader } from './format.ts';
import { readHeader } from './file.ts';
import { ownerOf } from './owner.ts';
import { RecordingError } from './recording.ts';
import { scan } from './scan.ts';
import { timeOf } from './time.ts';

/** Encoded bytes that wait for the disk; more Frames are lost. */
const MAX_WAITING = 8 << 20;
/** What may be lost when the power fails, milliseconds. */
const SYNC_MS = 2000;
/** Frames that leave at a time: enough that a file is seldom written anew. */
const STEP = 0.25;
/** A block takes no more than this part of a limited file: blocks leave as a whole. */
const SHARE = 8;
const MAX_SINCE_MS = 0xffff_ffff;

export interface WriterOptions {
  /** Of this kbtop, for the header. */
  readonly version: string;
  /** Add to a recording that is there. */
  readonly append?: boolean;
  /** The file never grows beyond; the newest Frames stay, three quarters of it at least. Bytes. */
  readonly maxBytes?: number | null;
  /** Frames that are older than this, and up to a quarter more, leave. Milliseconds. */
  readonly maxAgeMs?: number | null;
  /** For tests. Default 8 MiB. */
  readonly maxWaiting?: number;
}

export interface Written {
  readonly frames: number;
  /** Size of the file, or what went to the stream. */
  readonly bytes: number;
  /** Frames that came while the disk was too slow, or that could not be encoded. */
  readonly lost: number;
}

/** What bytes go to. */
interface Sink {
  write(bytes: Buffer, offset: number, length: number, position: number | null): Promise<{ readonly bytesWritten: number }>;
}

const writeDescriptor = promisify(writeCallback);

interface Block {
  readonly offset: number;
  /** Time of its last Frame. */
  until: number;
}

/** A whole Frame, perhaps with its block's header before it. */
interface Piece {
  readonly bytes: Buffer;
  readonly time: number;
  readonly startsBlock: boolean;
}

export class RecordingWriter {
  /** Rejects as soon as the file can take no more: the disk is full, or failed. Never resolves before close(). */
  readonly failed: Promise<never>;
  readonly #path: string;
  readonly #options: WriterOptions;
  #sink: Sink;
  /** Null for a stream, which can only be written to. */
  #file: FileHandle | null;
  #fail: (error: unknown) => void = () => {};
  #error: unknown = null;
  #waiting: Piece[] = [];
  #waitingBytes = 0;
  #pumping: Promise<void> | null = null;
  #encoder: BlockEncoder | null = null;
  #blockTime = 0;
  #blockBytes = 0;
  #blockNumber = 0;
  #latest = Number.NEGATIVE_INFINITY;
  /** Where the next byte goes; behind a whole Frame. */
  #end = 0;
  #header = 0;
  #blocks: Block[] = [];
  #syncedAt = performance.now();
  #isNew = false;
  #frames = 0;
  #lost = 0;
  #closed = false;

  private constructor(sink: Sink, file: FileHandle | null, path: string, options: WriterOptions) {
    this.#sink = sink;
    this.#file = file;
    this.#path = path;
    this.#options = options;
    this.failed = new Promise((_, reject) => { this.#fail = reject; });
    // Whoever does not watch it learns of it from close().
    this.failed.catch(() => {});
  }

  /**
   * @param path a file that is not there yet, unless `append`; readable for its owner only
   * @throws RecordingError when there is something else to append to, the system's error with its code
   */
  static async open(path: string, options: WriterOptions): Promise<RecordingWriter> {
    if (options.append) {
      const old = await RecordingWriter.#reopen(path, options);
      if (old) return old;
    }
    const file = await open(path, 'wx+', 0o600);
    try {
      const owner = ownerOf();
      if (owner) await file.chown(owner.uid, owner.gid).catch(() => {});
      const writer = new RecordingWriter(file, file, path, options);
      writer.#isNew = true;
      await writer.#begin();
      return writer;
    } catch (error) {
      await file.close();
      await unlink(path).catch(() => {});
      throw error;
    }
  }

  /** To a descriptor that is open, such as stdout: cannot be limited or appended to, and stays open. */
  static async stream(fd: number, options: Pick<WriterOptions, 'version' | 'maxWaiting'>): Promise<RecordingWriter> {
    const sink: Sink = { write: (bytes, offset, length, position) => writeDescriptor(fd, bytes, offset, length, position) };
    const writer = new RecordingWriter(sink, null, '', options);
    await writer.#begin();
    return writer;
  }

  async #begin(): Promise<void> {
    const header = encodeHeader(this.#options.version);
    await this.#writeAll(header);
    this.#end = this.#header = header.length;
  }

  /** Null when nothing is there. What a crash left of a Frame is cut off. */
  static async #reopen(path: string, options: WriterOptions): Promise<RecordingWriter | null> {
    let file;
    try {
      file = await open(path, constants.O_RDWR);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    try {
      const { size } = await file.stat();
      if (!(await file.stat()).isFile()) throw new RecordingError(`${path} is no file, so nothing can be appended to it`);
      const { size: start } = readHeader(file.fd, path);
      const { blocks, blockOf, times, end, damages } = scan(file.fd, start, size);
      const writer = new RecordingWriter(file, file, path, options);
      writer.#header = start;
      // Damage before its end stays what it is, and readable around it.
      writer.#end = damages.at(-1)?.torn || blocks.at(-1)?.first === times.length ? end : size;
      if (writer.#end < size) await file.truncate(writer.#end);
      writer.#blocks = blocks.filter(({ first }) => first < times.length).map(({ offset }) => ({ offset, until: Number.NEGATIVE_INFINITY }));
      for (const [i, time] of times.entries()) (writer.#blocks[blockOf[i] as number] as Block).until = writer.#latest = time;
      writer.#blockNumber = blocks.length;
      return writer;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get lost(): number {
    return this.#lost;
  }

  /** Take one Frame; returns at once. @returns false when it is lost */
  write(frame: Frame): boolean {
    if (this.#closed || this.#error !== null) return false;
    const piece = this.#waitingBytes > (this.#options.maxWaiting ?? MAX_WAITING) ? null : this.#encode(frame);
    if (piece === null) {
      this.#lost++;
      return false;
    }
    this.#frames++;
    this.#waiting.push(piece);
    this.#waitingBytes += piece.bytes.length;
    this.#pumping ??= this.#pump();
    return true;
  }

  /** Null for what cannot be recorded. */
  #encode(frame: Frame): Piece | null {
    const given = timeOf(frame);
    if (given === null) return null;
    const time = Math.max(given, this.#latest);
    const { maxBytes = null } = this.#options;
    const isLarge = maxBytes !== null && this.#blockBytes > maxBytes / SHARE;
    const isNew = this.#encoder === null || this.#encoder.full || isLarge || time - this.#blockTime > MAX_SINCE_MS;
    const encoder = isNew ? new BlockEncoder() : this.#encoder as BlockEncoder;
    let payload;
    try {
      payload = encoder.add(frame);
    } catch {
      // Too large, or no JSON. What its block has learned of it is of no use.
      this.#encoder = null;
      return null;
    }
    if (isNew) {
      this.#blockTime = time;
      this.#blockBytes = 0;
    }
    this.#blockBytes += payload.length;
    this.#encoder = encoder;
    this.#latest = time;
    const bytes = encodeFrame(payload, time - this.#blockTime);
    return { bytes: isNew ? Buffer.concat([encodeBlock(this.#blockNumber++, time), bytes]) : bytes, time, startsBlock: isNew };
  }

  async #pump(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const pieces = this.#waiting;
        this.#waiting = [];
        await this.#limit(pieces);
        await this.#write(pieces);
        this.#waitingBytes -= pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
        await this.#sync(SYNC_MS);
      }
    } catch (error) {
      this.#error = error;
      this.#lost += this.#waiting.length;
      this.#frames -= this.#waiting.length;
      this.#waiting = [];
      this.#fail(error);
    } finally {
      this.#pumping = null;
    }
  }

  async #write(pieces: readonly Piece[]): Promise<void> {
    const before = this.#end;
    let written = 0;
    try {
      await this.#writeAll(Buffer.concat(pieces.map(({ bytes }) => bytes)), (bytes) => { written = bytes; });
    } catch (error) {
      await this.#cut(pieces, before + written);
      throw error;
    }
    for (const piece of pieces) this.#count(piece);
  }

  #count({ bytes, time, startsBlock }: Piece): void {
    if (startsBlock) this.#blocks.push({ offset: this.#end, until: time });
    (this.#blocks.at(-1) as Block).until = time;
    this.#end += bytes.length;
  }

  /** The disk took some of these: the file is to end behind the last whole Frame. @param end how far it got */
  async #cut(pieces: readonly Piece[], end: number): Promise<void> {
    let whole = 0;
    for (const piece of pieces) {
      if (this.#end + piece.bytes.length > end) break;
      this.#count(piece);
      whole++;
    }
    this.#frames -= pieces.length - whole;
    this.#lost += pieces.length - whole;
    await this.#file?.truncate(this.#end).catch(() => {});
  }

  async #writeAll(bytes: Buffer, onProgress: (written: number) => void = () => {}): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      try {
        const { bytesWritten } = await this.#sink.write(bytes, done, bytes.length - done, this.#file ? this.#end + done : null);
        onProgress(done += bytesWritten);
      } catch (error) {
        // A pipe whose reader is slow.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await new Promise((resolve) => { setTimeout(resolve, 5); });
      }
    }
  }

  /** @param ms since the last time */
  async #sync(ms: number): Promise<void> {
    if (!this.#file || performance.now() - this.#syncedAt < ms) return;
    await this.#file.datasync();
    this.#syncedAt = performance.now();
  }

  /** Let the oldest blocks go before `pieces` make the file too large, or when they are too old. */
  async #limit(pieces: readonly Piece[]): Promise<void> {
    const { maxBytes = null, maxAgeMs = null } = this.#options;
    const more = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
    let keep = 0;
    if (maxBytes !== null && this.#end + more > maxBytes) {
      const from = this.#end + more - maxBytes * (1 - STEP);
      keep = this.#blocks.findIndex(({ offset }) => offset - this.#header >= from);
      if (keep === -1) keep = this.#blocks.length;
    }
    const oldest = this.#blocks[0];
    if (maxAgeMs !== null && oldest && oldest.until < this.#latest - maxAgeMs * (1 + STEP)) {
      const young = this.#blocks.findIndex(({ until }) => until >= this.#latest - maxAgeMs);
      keep = Math.max(keep, young === -1 ? this.#blocks.length : young);
    }
    // The block that is being written stays whole: what comes next needs it.
    const open = pieces[0]?.startsBlock ? this.#blocks.length : this.#blocks.length - 1;
    keep = Math.min(keep, open);
    if (keep > 0 && this.#file) await this.#rewrite(this.#file, keep);
  }

  /** Write what is kept beside, and put it in the file's place: at every moment one of them is whole. */
  async #rewrite(old: FileHandle, keep: number): Promise<void> {
    const path = this.#path, beside = `${path}.new`;
    const from = this.#blocks[keep]?.offset ?? this.#end;
    await unlink(beside).catch(() => {});
    const { mode, uid, gid } = await old.stat();
    const file = await open(beside, 'wx+', mode & 0o777);
    try {
      await file.chown(uid, gid).catch(() => {});
      await copy(old, 0, this.#header, file, 0);
      await copy(old, from, this.#end, file, this.#header);
      await file.datasync();
      await rename(beside, path);
      await using directory = await open(dirname(path), constants.O_RDONLY);
      await directory.sync().catch(() => {});
    } catch (error) {
      await file.close();
      await unlink(beside).catch(() => {});
      throw error;
    }
    const moved = from - this.#header;
    this.#sink = this.#file = file;
    this.#blocks = this.#blocks.slice(keep).map(({ offset, until }) => ({ offset: offset - moved, until }));
    this.#end -= moved;
    this.#syncedAt = performance.now();
    await old.close();
  }

  /**
   * Write what waits, and put it on the disk. A new file that no Frame came to is removed. Twice is fine.
   * @throws what `failed` was rejected with; the file is readable in any case
   */
  async close(): Promise<Written> {
    if (!this.#closed) {
      this.#closed = true;
      await this.#pumping;
      try {
        if (this.#error === null) await this.#sync(0);
      } catch (error) {
        this.#error = error;
      } finally {
        await this.#file?.close();
        // A recording without a Frame is of no use to anybody.
        if (this.#isNew && this.#frames === 0) await unlink(this.#path).catch(() => {});
      }
    }
    if (this.#error !== null) throw this.#error;
    return this.written;
  }

  /** What the file holds of this writer's. */
  get written(): Written {
    return { frames: this.#frames, bytes: this.#end, lost: this.#lost };
  }
}

async function copy(from: FileHandle, start: number, end: number, to: FileHandle, at: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(1 << 18);
  for (let done = 0; done < end - start;) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, end - start - done), start + done);
    if (bytesRead === 0) throw new RecordingError('the recording was made shorter by somebody else');
    for (let written = 0; written < bytesRead;) written += (await to.write(buffer, written, bytesRead - written, at + done + written)).bytesWritten;
    done += bytesRead;
  }
}

