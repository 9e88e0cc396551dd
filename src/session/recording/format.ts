/**
 * The bytes of a recording, all numbers little endian:
 *
 *   header  magic, u16 version, u16 size of the JSON behind it, JSON { schema, program }, u32 checksum of all that
 *   block   u32 marker, u32 its number, f64 time of its first Frame, u32 checksum of all that; Frames, until the next marker
 *   Frame   u32 size, u32 milliseconds since the block's time, u32 checksum of both and of the bytes, so many bytes (codec/)
 *
 * A Frame needs those before it in its block, and nothing else: damage costs the rest of one block. Nothing in the file is
 * ever changed after it was written, so a writer that dies at any byte leaves all whole Frames before it readable. Checksums
 * are CRC-32.
 */
import { crc32 } from 'node:zlib';
import { SCHEMA } from '../../frame/frame.ts';

export const EXTENSION = '.kbtop';
/** Raised when older programs could not read what is written, also by other percentiles from the same histogram. */
export const VERSION = 1;
/** As PNG's: no text, and broken by whoever translates line ends. */
export const MAGIC = Buffer.from([0x89, 0x4b, 0x42, 0x54, 0x4f, 0x50, 0x0d, 0x0a, 0x1a, 0x0a]);
const MARKER = 0xf5a7_4b42;
export const MARKER_BYTES = Buffer.from([0x42, 0x4b, 0xa7, 0xf5]);
export const BLOCK_HEADER = 20;
export const FRAME_HEADER = 12;
/** A larger Frame is none. */
export const MAX_FRAME_BYTES = 64 << 20;
/** Frames of one block: whoever wants the last one reads all of them. */
export const MAX_BLOCK_FRAMES = 1024;
const MAX_INFO = 4096;

export function encodeHeader(program: string): Buffer {
  const info = Buffer.from(JSON.stringify({ schema: SCHEMA, program }));
  const header = Buffer.alloc(MAGIC.length + 4 + info.length + 4);
  MAGIC.copy(header);
  header.writeUInt16LE(VERSION, MAGIC.length);
  header.writeUInt16LE(info.length, MAGIC.length + 2);
  info.copy(header, MAGIC.length + 4);
  header.writeUInt32LE(crc32(header.subarray(0, -4)), header.length - 4);
  return header;
}

/** More than any header takes. */
export const MAX_HEADER = MAGIC.length + 4 + MAX_INFO + 4;

export const isRecording = (bytes: Buffer): boolean => bytes.length >= MAGIC.length && bytes.subarray(0, MAGIC.length).equals(MAGIC);

export interface Header {
  readonly version: number;
  /** Of its Frames; null when the header is damaged. */
  readonly schema: string | null;
  readonly size: number;
}

/** @param bytes the file's first, at most MAX_HEADER @returns null when it is too short */
export function decodeHeader(bytes: Buffer): Header | null {
  const start = MAGIC.length + 4;
  if (bytes.length < start) return null;
  const version = bytes.readUInt16LE(MAGIC.length), end = start + bytes.readUInt16LE(MAGIC.length + 2);
  if (version !== VERSION) return { version, schema: null, size: 0 };
  if (end + 4 > bytes.length || crc32(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) return { version, schema: null, size: 0 };
  const { schema } = JSON.parse(bytes.toString('utf8', start, end)) as { readonly schema: string };
  return { version, schema, size: end + 4 };
}

export function encodeBlock(number: number, time: number): Buffer {
  const block = Buffer.alloc(BLOCK_HEADER);
  block.writeUInt32LE(MARKER, 0);
  block.writeUInt32LE(number >>> 0, 4);
  block.writeDoubleLE(time, 8);
  block.writeUInt32LE(crc32(block.subarray(0, 16)), 16);
  return block;
}

export const startsBlock = (bytes: Buffer, at: number): boolean => bytes.readUInt32LE(at) === MARKER;

/** Time of the block's first Frame; null when these bytes are no block's header. */
export function decodeBlock(bytes: Buffer, at: number): number | null {
  if (!startsBlock(bytes, at) || crc32(bytes.subarray(at, at + 16)) !== bytes.readUInt32LE(at + 16)) return null;
  const time = bytes.readDoubleLE(at + 8);
  return Number.isFinite(time) ? time : null;
}

/** @param sinceMs time of the Frame since that of its block */
export function encodeFrame(payload: Uint8Array, sinceMs: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt32LE(sinceMs, 4);
  frame.writeUInt32LE(crc32(payload, crc32(frame.subarray(0, 8))), 8);
  frame.set(payload, FRAME_HEADER);
  return frame;
}

export interface FrameHeader {
  readonly size: number;
  readonly sinceMs: number;
  readonly checksum: number;
  /** Checksum of the header's own part. */
  readonly begun: number;
}

export function decodeFrame(bytes: Buffer, at: number): FrameHeader {
  return { size: bytes.readUInt32LE(at), sinceMs: bytes.readUInt32LE(at + 4), checksum: bytes.readUInt32LE(at + 8), begun: crc32(bytes.subarray(at, at + 8)) };
}
