/**
 * Recordings of a node with 100 containers (bench/node.ts), as it mostly is and ten times as busy, against what everybody has: the
 * same Frames as NDJSON through zstd, all at once and with a long window, which no recording could be that survives a crash.
 */
import { zstdCompressSync, constants } from 'node:zlib';
import type { Frame } from '../src/frame/frame.ts';
import { BlockDecoder, BlockEncoder } from '../src/session/recording/block.ts';
import { FRAME_HEADER, BLOCK_HEADER } from '../src/session/recording/format.ts';
import { type BenchRow, median } from './bench.ts';
import { captureNode } from './node.ts';

const FRAMES = 180;
const BUSY_FRAMES = 60;
/** Frames until the code is compiled. */
const WARM = 60;
const MB_HOUR = 3600 / 1e6;

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

async function captured(frames: number, busy: boolean): Promise<readonly Frame[]> {
  const all: Frame[] = [];
  await captureNode({ frames, busy, onFrame: (frame) => all.push(frame) });
  return all;
}

interface Measured {
  readonly bytes: number;
  readonly encodeMs: number;
  readonly decodeMs: number;
  /** From a block's first Frame to its last. */
  readonly blockMs: number;
}

function measure(all: readonly Frame[]): Measured {
  const encodeMs: number[] = [], decodeMs: number[] = [], blockMs: number[] = [];
  let bytes = 0, encoder: BlockEncoder | null = null, payloads: Uint8Array[] = [];
  const read = (): void => {
    const decoder = new BlockDecoder(), before = cpuMs();
    for (const payload of payloads) decoder.read(payload);
    if (payloads.length > 0) blockMs.push(cpuMs() - before);
    decodeMs.push((cpuMs() - before) / Math.max(1, payloads.length));
    payloads = [];
  };
  for (const [i, frame] of [...all.slice(0, WARM), ...all].entries()) {
    if (i === WARM) {
      // What is compiled now is measured.
      read();
      decodeMs.length = blockMs.length = 0;
      encoder = null;
    }
    if (encoder === null || encoder.full) {
      if (i > WARM) read();
      encoder = new BlockEncoder();
      payloads = [];
      if (i >= WARM) bytes += BLOCK_HEADER;
    }
    const before = cpuMs();
    const payload = encoder.add(frame);
    if (i >= WARM) encodeMs.push(cpuMs() - before);
    if (i >= WARM) bytes += payload.length + FRAME_HEADER;
    payloads.push(payload);
  }
  read();
  return { bytes, encodeMs: median(encodeMs), decodeMs: median(decodeMs), blockMs: median(blockMs) };
}

function zstd(all: readonly Frame[]): number {
  const text = all.map((frame) => `${JSON.stringify(frame)}\n`).join('');
  return zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: 9, [constants.ZSTD_c_enableLongDistanceMatching]: 1, [constants.ZSTD_c_windowLog]: 27 } }).length;
}

export async function run(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [name, frames, busy] of [['100 containers', FRAMES, false], ['100 containers, ten times as busy', BUSY_FRAMES, true]] as const) {
    const all = await captured(frames, busy);
    const { bytes, encodeMs, decodeMs, blockMs } = measure(all), peer = zstd(all);
    const raw = all.reduce((sum, frame) => sum + JSON.stringify(frame).length, 0);
    const hour = (bytes / frames) * MB_HOUR, note = `${frames} Frames of ${Math.round(raw / frames / 1000)} kB of JSON in the mean; peer: NDJSON through zstd -9 --long`;
    rows.push(
      { name: `recording, ${name}: MB per hour at 1 s`, ours: hour, peer: (peer / frames) * MB_HOUR, ratio: bytes / peer, aim: busy ? 'shown' : 'below 20 MB', ...(busy ? {} : { met: hour < 20 }), note },
      { name: `recording, ${name}: CPU to encode one Frame, ms`, ours: encodeMs, peer: null, ratio: null, aim: busy ? 'shown' : '< 10', ...(busy ? {} : { met: encodeMs < 10 }), note: 'median; what the live screen pays once a second' },
      { name: `recording, ${name}: CPU to read one Frame of a block, ms`, ours: decodeMs, peer: null, ratio: null, aim: 'shown', note: `a whole block takes ${Math.round(blockMs)} ms; then its Frames are there` },
    );
  }
  return rows;
}
