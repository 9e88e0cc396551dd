/** A Timeline, or a part of it, as a recording file. */
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import type { Frame } from '../../frame/frame.ts';
import type { Timeline } from '../../frame/timeline.ts';
import { BlockEncoder } from './block.ts';
import { encodeBlock, encodeFrame, encodeHeader, EXTENSION } from './format.ts';
import { MemoryTimeline } from './memory.ts';
import { ownerOf } from './owner.ts';

export interface Saved {
  readonly frames: number;
  readonly bytes: number;
}

export interface SaveOptions {
  /** Of this kbtop, for the header. */
  readonly version?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** "kbtop-worker-1-20261121T020005Z.kbtop": only characters that are safe in any shell. */
export function recordingName(frame: Frame): string {
  const node = frame.node.name.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^[.-]+/, '').slice(0, 64) || 'node';
  return `kbtop-${node}-${frame.time.replace(/\.\d+/, '').replace(/[^0-9TZ]/g, '')}${EXTENSION}`;
}

/**
 * Write Frames `from` to `to`, the latter not among them, readable for their owner only (under sudo: who called it). Never
 * overwrites. Gives way to everything else after each Frame; Frames that are let go meanwhile are left out.
 * @throws the system's error with its code: EEXIST, ENOSPC, ...; nothing is left behind then
 */
export async function saveTimeline(timeline: Timeline, path: string, from = timeline.first, to = timeline.end, { version = '', env = process.env }: SaveOptions = {}): Promise<Saved> {
  const file = await open(path, 'wx', 0o600);
  try {
    const owner = ownerOf(env);
    if (owner) await file.chown(owner.uid, owner.gid).catch(() => {});
    let bytes = await writeAll(file, encodeHeader(version)), frames = 0;
    for await (const block of timeline instanceof MemoryTimeline ? encodedBlocks(timeline, from, to) : newBlocks(timeline, from, to)) {
      bytes += await writeAll(file, block.bytes);
      frames += block.frames;
    }
    await file.sync();
    await file.close();
    return { frames, bytes };
  } catch (error) {
    await file.close();
    await unlink(path).catch(() => {});
    throw error;
  }
}

interface Chunk {
  readonly bytes: Buffer;
  readonly frames: number;
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<number> {
  await file.writeFile(bytes);
  return bytes.length;
}

function chunkOf(number: number, frames: readonly Uint8Array[], times: readonly number[]): Chunk {
  const start = times[0] as number;
  return { bytes: Buffer.concat([encodeBlock(number, start), ...frames.map((frame, i) => encodeFrame(frame, (times[i] as number) - start))]), frames: frames.length };
}

/** Blocks as they are in memory; only the one that begins before `from` is encoded anew. */
async function* encodedBlocks(timeline: MemoryTimeline, from: number, to: number): AsyncGenerator<Chunk> {
  let number = 0;
  for (const { first, frames, times } of timeline.encoded(from, to)) {
    if (first >= from) yield chunkOf(number++, frames, times);
    else for await (const { bytes, frames: count } of newBlocks(timeline, from, Math.min(to, first + frames.length))) {
      number++;
      yield { bytes, frames: count };
    }
  }
}

async function* newBlocks(timeline: Timeline, from: number, to: number): AsyncGenerator<Chunk> {
  let encoder = new BlockEncoder(), number = 0;
  let frames: Uint8Array[] = [], times: number[] = [];
  for (let index = from; index < to; index++) {
    await turn();
    if (index < timeline.first) continue;
    if (encoder.full) {
      yield chunkOf(number++, frames, times);
      [encoder, frames, times] = [new BlockEncoder(), [], []];
    }
    frames.push(encoder.add(timeline.frame(index)));
    times.push(timeline.time(index));
  }
  if (frames.length > 0) yield chunkOf(number, frames, times);
}
