import fc from 'fast-check';
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Frame, NO_LOSS } from '../../../src/frame/frame.ts';
import { BLOCK_FRAMES, BlockEncoder } from '../../../src/session/recording/block.ts';
import { RecordingFile } from '../../../src/session/recording/file.ts';
import { Encoder } from '../../../src/session/recording/codec/coder.ts';
import { FrameCodec, TooLargeError } from '../../../src/session/recording/codec/codec.ts';
import { BLOCK_HEADER, encodeBlock, encodeFrame, encodeHeader, FRAME_HEADER } from '../../../src/session/recording/format.ts';
import { openRecording } from '../../../src/session/recording/open.ts';
import { RecordingError } from '../../../src/session/recording/recording.ts';
import { RecordingWriter, type WriterOptions } from '../../../src/session/recording/writer.ts';
import { frames, START } from './frames.ts';

let directory = '';
let serial = 0;
const place = (): string => join(directory, `${++serial}.kbtop`);

beforeAll(() => { directory = mkdtempSync(join(tmpdir(), 'kbtop-recording-')); });
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Let the writer do what it has to. */
async function written(path: string, all: readonly Frame[], options: Partial<WriterOptions> = {}): Promise<void> {
  const writer = await RecordingWriter.open(path, { version: 'test', ...options });
  for (const [i, frame] of all.entries()) {
    expect(writer.write(frame)).toBe(true);
    if (i % 10 === 0) await sleep(0);
  }
  await writer.close();
}

function read(path: string): { readonly all: Frame[]; readonly warnings: readonly string[] } {
  const recording = RecordingFile.open(path);
  try {
    return { all: Array.from({ length: recording.end }, (_, i) => recording.frame(i)), warnings: recording.warnings };
  } finally {
    recording.close();
  }
}

const ALL = frames(140, 4);

describe('a recording', () => {
  let path = '';
  beforeAll(async () => { await written(path = place(), ALL); });

  it('gives back every Frame, forward, backward and anywhere', () => {
    const recording = RecordingFile.open(path);
    expect([recording.first, recording.end, recording.warnings]).toEqual([0, ALL.length, []]);
    for (const [i, frame] of ALL.entries()) expect(recording.frame(i)).toStrictEqual(frame);
    for (let i = ALL.length - 1; i >= 0; i--) expect(recording.frame(i).seq).toBe(ALL[i]?.seq);
    for (const i of [70, 3, 139, 60, 59, 61]) expect(recording.frame(i)).toStrictEqual(ALL[i]);
    recording.close();
    recording.close();
  });

  it('finds times', () => {
    const recording = RecordingFile.open(path);
    const times = ALL.map(({ time }) => Date.parse(time));
    expect(times.map((_, i) => recording.time(i))).toEqual(times);
    expect([recording.indexAt(0), recording.indexAt(times[0] as number), recording.indexAt((times[77] as number) + 1), recording.indexAt(Number.MAX_VALUE)]).toEqual([0, 0, 77, 139]);
    for (const index of [-1, 140, 0.5, Number.NaN]) {
      expect(() => recording.frame(index)).toThrow(RangeError);
      expect(() => recording.time(index)).toThrow(RangeError);
    }
    recording.close();
  });

  it('is readable for its owner only, and never written over', async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const before = readFileSync(path);
    await expect(RecordingWriter.open(path, { version: 'test' })).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(path)).toEqual(before);
  });

  it('can be read while it is written', async () => {
    const growing = place();
    const writer = await RecordingWriter.open(growing, { version: 'test' });
    for (const frame of ALL.slice(0, 5)) writer.write(frame);
    while (statSync(growing).size < 2000) await sleep(5);
    expect(read(growing).all[0]).toStrictEqual(ALL[0]);
    await writer.close();
    expect(read(growing).all).toHaveLength(5);
  });

  it('goes on when it is appended to, also behind a torn end', async () => {
    const longer = place();
    await written(longer, ALL.slice(0, 20));
    appendFileSync(longer, 'half a Fra');
    expect(read(longer).warnings).toEqual([expect.stringMatching(/ends in the middle of a Frame, as after a crash; 10 bytes at its end are left out$/)]);
    await written(longer, ALL.slice(20, 30), { append: true });
    expect(read(longer)).toEqual({ all: ALL.slice(0, 30), warnings: [] });
    await written(place(), ALL.slice(0, 1), { append: true });
  });

  it('is not appended to what is none', async () => {
    const other = place();
    writeFileSync(other, 'precious');
    await expect(RecordingWriter.open(other, { version: 'test', append: true })).rejects.toThrow(RecordingError);
    expect(readFileSync(other, 'utf8')).toBe('precious');
  });

  it('never has times that fall, whatever the clock did', async () => {
    const jumping = place();
    const all = frames(4).map((frame, i) => ({ ...frame, time: new Date(START + [5000, 1000, 9000, 2000][i]!).toISOString() }));
    await written(jumping, all);
    const recording = RecordingFile.open(jumping);
    expect([0, 1, 2, 3].map((i) => recording.time(i) - START)).toEqual([5000, 5000, 9000, 9000]);
    expect([0, 1, 2, 3].map((i) => recording.frame(i))).toEqual(all);
    recording.close();
  });
});

describe('a recording that ends anywhere', () => {
  it('gives every whole Frame, at every byte of its last block', async () => {
    const whole = place(), torn = place();
    // The second block is short, so that this ends soon.
    await written(whole, ALL.slice(0, BLOCK_FRAMES + 4));
    const bytes = readFileSync(whole);
    const starts: number[] = [];
    for (let at = bytes.lastIndexOf(Buffer.from([0x42, 0x4b, 0xa7, 0xf5])) + BLOCK_HEADER; at < bytes.length; at += FRAME_HEADER + bytes.readUInt32LE(at)) starts.push(at);
    expect(starts).toHaveLength(4);
    writeFileSync(torn, bytes);
    const begin = (starts[0] as number) - BLOCK_HEADER;
    for (let size = bytes.length; size >= begin; size--) {
      truncateSync(torn, size);
      const recording = RecordingFile.open(torn);
      const complete = BLOCK_FRAMES + [...starts.slice(1), bytes.length].filter((end) => end <= size).length;
      expect(recording.end, `cut at ${size}`).toBe(complete);
      const isWhole = size === begin || size === begin + BLOCK_HEADER || size === bytes.length || starts.includes(size);
      expect(recording.warnings.length, `cut at ${size}`).toBe(isWhole ? 0 : 1);
      // Reading the last one reads all of its block.
      if (size % 97 === 0 || isWhole) expect(recording.frame(complete - 1)).toStrictEqual(ALL[complete - 1]);
      recording.close();
    }
  });

  it('is refused in one line when not even one Frame is whole', async () => {
    const whole = place(), torn = place();
    await written(whole, ALL.slice(0, 1));
    const bytes = readFileSync(whole);
    for (let size = 0; size < bytes.length; size += 7) {
      writeFileSync(torn, bytes.subarray(0, size));
      expect(() => RecordingFile.open(torn), `cut at ${size}`).toThrow(RecordingError);
    }
  });

  it('is whole up to the Frame that was under way when its writer was killed', async () => {
    const expected = frames(200, 6);
    for (let round = 0; round < 8; round++) {
      const path = place();
      const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'children/writer.ts'), path], { stdio: ['ignore', 'pipe', 'inherit'] });
      let taken = 0;
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          taken = Number(/(\d+)\n$/.exec(chunk.toString())?.[1] ?? taken);
          if (taken >= 5 + round * 19) child.kill('SIGKILL');
        });
        child.once('exit', () => resolve());
      });
      const { all, warnings } = read(path);
      // What was taken last may still have waited for the disk.
      expect(all.length).toBeGreaterThan(0);
      expect(warnings.length).toBeLessThanOrEqual(1);
      expect(all).toStrictEqual(expected.slice(0, all.length));
      await written(path, expected.slice(all.length, all.length + 2), { append: true });
      expect(read(path)).toMatchObject({ warnings: [], all: { length: all.length + 2 } });
    }
  });
});

describe('a damaged recording', () => {
  let bytes = Buffer.alloc(0);
  beforeAll(async () => {
    const path = place();
    await written(path, frames(200, 2));
    bytes = readFileSync(path);
  });

  it('loses the rest of one block, and says so', () => {
    const path = place(), header = encodeHeader('test').length;
    const expected = new Map(frames(200, 2).map((frame) => [frame.seq, frame]));
    fc.assert(fc.property(fc.integer({ min: header, max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ flip;
      writeFileSync(path, damaged);
      const { all, warnings } = read(path);
      expect(warnings).toHaveLength(1);
      expect(all.length).toBeGreaterThanOrEqual(200 - BLOCK_FRAMES);
      expect(all.length).toBeLessThan(200);
      for (const frame of all) expect(frame).toEqual(expected.get(frame.seq));
    }), { numRuns: 60 });
  });

  it('is read around a hole', () => {
    const path = place();
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 3000), Buffer.alloc(5000), bytes.subarray(8000)]));
    const { all, warnings } = read(path);
    expect(all.at(-1)?.seq).toBe(200);
    expect(warnings[0]).toMatch(/is damaged at byte \d+; \d+ bytes up to the next whole block are left out$/);
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(1000), bytes.subarray(encodeHeader('test').length)]));
    expect(read(path).all).toHaveLength(400);
  });

  it('whose header is damaged, or of another version, is refused in one line', () => {
    const path = place();
    const expected: readonly (readonly [number, RegExp])[] = [[0, /is not a recording of kbtop/], [10, /is a recording of format \d+, this kbtop reads format 1: use a newer kbtop/], [20, /header is damaged/]];
    for (const [at, message] of expected) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x40;
      writeFileSync(path, damaged);
      expect(() => RecordingFile.open(path)).toThrow(message);
    }
  });

  it('that was made up does not take more memory than it has', () => {
    const path = place(), header = encodeHeader('test');
    // Frames that say to be as long as can be, and a file of markers.
    for (const tail of [Buffer.alloc(1 << 20, 0xff), Buffer.alloc(1 << 20, Buffer.from([0x42, 0x4b, 0xa7, 0xf5])), bytes.subarray(header.length, header.length + 40)]) {
      writeFileSync(path, Buffer.concat([header, tail]));
      expect(() => RecordingFile.open(path)).toThrow(RecordingError);
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), (garbage) => {
      writeFileSync(path, Buffer.concat([bytes.subarray(0, 9000), garbage]));
      const recording = RecordingFile.open(path);
      expect(recording.end).toBeGreaterThan(0);
      recording.close();
    }), { numRuns: 30 });
  });
});

describe('a recording that an enemy made', () => {
  const made = (payloads: readonly Uint8Array[]): string => {
    const path = place();
    writeFileSync(path, Buffer.concat([encodeHeader('test'), encodeBlock(0, START), ...payloads.map((payload, i) => encodeFrame(payload, i))]));
    return path;
  };
  /** All that can come of it: a Frame, or one line that says why not. */
  const tryAll = (path: string): string[] => {
    const recording = RecordingFile.open(path);
    const messages: string[] = [];
    for (let i = 0; i < recording.end; i++) {
      try {
        recording.frame(i);
      } catch (error) {
        if (!(error instanceof RecordingError)) throw error;
        messages.push(error.message);
      }
    }
    recording.close();
    return messages;
  };

  it('with good checksums over bytes that are none, is refused Frame by Frame', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 4 }), (payloads) => {
      for (const message of tryAll(made(payloads))) expect(message).toMatch(/\.kbtop: Frame \d cannot be read: [^\n]+$/);
    }), { numRuns: 100 });
  });

  it('with JSON that is no Frame, is refused', () => {
    const payloads = [{ schema: 'kbtop.frame/1' }, [], 7, { ...ALL[0], panes: { syscalls: { rows: 1 } } }, { ...ALL[0], containers: null }, { ...ALL[0], schema: 'x' }].map((value) => new BlockEncoder().add(value as unknown as Frame));
    for (const payload of payloads) expect(tryAll(made([payload]))).toEqual([expect.stringMatching(/Frame 1 cannot be read: it holds something that is no Frame$/)]);
  });

  it('that unfolds into more than memory holds, is refused', () => {
    // Rows that only count take next to nothing.
    const unfolding = (count: number, i: number): Frame => {
      const rows = Array.from({ length: count }, (_, j) => ({ container: '1', a: j, b: i, c: null }));
      return { ...ALL[0], seq: i, panes: { ...ALL[0]!.panes, containers: { ...ALL[0]!.panes.containers, rows } } } as unknown as Frame;
    };
    expect(() => new FrameCodec(new Encoder()).code(unfolding(500_000, 1))).toThrow(TooLargeError);
    const coder = new Encoder(), codec = new FrameCodec(coder);
    const payloads = [1, 2, 3].map((i) => {
      codec.code(unfolding(200_000, i));
      return coder.take();
    });
    expect(payloads.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(100_000);
    expect(tryAll(made(payloads))).toEqual([expect.stringMatching(/Frame 3 cannot be read: its block has too many values$/)]);
  });

  it('is read where it is whole: panes that its writer did not know are off', async () => {
    const path = place();
    const { processes: _, ...panes } = ALL[0]!.panes;
    await written(path, [{ ...ALL[0], panes: { ...panes, disk: { state: { status: 'ok' }, loss: {}, rows: [] } } } as unknown as Frame]);
    expect(read(path).all[0]?.panes).toEqual({ ...panes, disk: { state: { status: 'ok' }, loss: {}, rows: [] }, processes: { state: { status: 'off', reason: 'not in this recording', level: null }, loss: NO_LOSS, rows: [] } });
  });
});

describe('limits', () => {
  it('keep the newest Frames within the size, in a file that is whole at every moment', async () => {
    const path = place(), maxBytes = 120_000;
    const all = frames(400, 6);
    const writer = await RecordingWriter.open(path, { version: 'test', maxBytes });
    let largest = 0, rewritten = 0, before = statSync(path).ino;
    for (const [i, frame] of all.entries()) {
      writer.write(frame);
      if (i % 5 !== 0) continue;
      await sleep(1);
      const { size, ino } = statSync(path);
      largest = Math.max(largest, size);
      if (ino !== before) rewritten++;
      before = ino;
      if (i > 0 && i % 50 === 0) expect(read(path).warnings.filter((line) => !line.includes('ends in the middle'))).toEqual([]);
    }
    await writer.close();
    expect(largest).toBeLessThanOrEqual(maxBytes);
    expect(rewritten).toBeGreaterThan(1);
    const kept = read(path);
    expect(kept.warnings).toEqual([]);
    expect(statSync(path).size).toBeGreaterThan(maxBytes / 2);
    expect(kept.all).toStrictEqual(all.slice(-kept.all.length));
    expect(readdirSync(directory).filter((name) => name.endsWith('.new'))).toEqual([]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('let old Frames go, and hold when they are appended to', async () => {
    const path = place();
    const all = frames(400, 2);
    await written(path, all.slice(0, 390), { maxAgeMs: 100_000 });
    const age = (): number => { const { all: kept } = read(path); return Date.parse(kept.at(-1)!.time) - Date.parse(kept[0]!.time); };
    expect(age()).toBeGreaterThanOrEqual(100_000 - 1000);
    expect(age()).toBeLessThanOrEqual(125_000 + 1000 * (BLOCK_FRAMES + 1));
    await written(path, all.slice(390), { maxAgeMs: 10_000, append: true });
    expect(read(path).all.at(-1)).toStrictEqual(all.at(-1));
    expect(age()).toBeLessThan(100_000);
  });
});

describe('a slow disk', () => {
  it('loses Frames and counts them, and never makes anybody wait', async () => {
    const path = place();
    const writer = await RecordingWriter.open(path, { version: 'test', maxWaiting: 20_000 });
    // No turn of the event loop: nothing is written meanwhile.
    const taken = ALL.filter((frame) => writer.write(frame));
    const { frames: count, lost } = await writer.close();
    expect(lost).toBeGreaterThan(0);
    expect(count + lost).toBe(ALL.length);
    expect(read(path)).toEqual({ all: taken, warnings: [] });
  });
});

describe('NDJSON', () => {
  it('is a recording, too; what is no Frame is left out and told', async () => {
    const path = place();
    writeFileSync(path, `${ALL.slice(0, 3).map((frame) => JSON.stringify(frame)).join('\n')}\nnonsense\n\n{"schema":"kbtop.frame/1"}\n${JSON.stringify(ALL[3])}\n{"half`);
    const recording = await openRecording(path);
    expect(Array.from({ length: recording.end }, (_, i) => recording.frame(i))).toEqual(ALL.slice(0, 4));
    expect(recording.warnings).toEqual([expect.stringContaining('2 of 8 lines are no Frames, the first of them line 4'), expect.stringContaining('its last line is not complete')]);
    expect(recording.indexAt(recording.time(2))).toBe(2);
  });

  it('without any Frame is refused', async () => {
    const path = place();
    for (const text of ['', '{}', '\u0000'.repeat(1000)]) {
      writeFileSync(path, text);
      await expect(openRecording(path)).rejects.toThrow(RecordingError);
    }
    await expect(openRecording(join(directory, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
