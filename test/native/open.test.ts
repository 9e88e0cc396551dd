import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { addon, child, closeAll, failure, open, selftest } from './support.ts';

afterEach(closeAll);

describe('open', () => {
  it('lists programs and maps before anything is loaded', () => {
    const object = open('counter');
    expect(object.name).toBe('counter');
    expect(object.programs()).toEqual([{ name: 'on_sys_enter', section: 'tp_btf/sys_enter', loaded: false, attached: false, id: 0, linkId: 0 }]);
    expect(object.maps()).toEqual(expect.arrayContaining(['by_nr', 'by_tid', 'total', 'plain', 'narrow']));
  });

  it('takes bytes as well as a path, and a name for messages', () => {
    const bytes = readFileSync(selftest('counter'));
    const object = addon().open(new Uint8Array(bytes), { name: 'given' });
    expect(object.name).toBe('given');
    expect(object.programs()).toHaveLength(1);
    object.close();
    expect(() => object.programs()).toThrow('given is closed');
  });

  it('has its own copy of the bytes', () => {
    const bytes = new Uint8Array(readFileSync(selftest('counter')));
    const object = addon().open(bytes);
    bytes.fill(0);
    expect(object.programs()[0]?.name).toBe('on_sys_enter');
    object.close();
  });

  it.each([
    ['a missing file', '/nonexistent/x.bpf.o', 'ENOENT', 2, /no such file/],
    ['a directory', '/tmp', 'EISDIR', 21, /directory/],
    ['a device', '/dev/zero', 'EINVAL', 22, /\/dev\/zero/],
    ['a text file', '/etc/passwd', 'ERR_BPF_FORMAT', 0, /^\/etc\/passwd is not a sound BPF object file/],
    ['no ELF file', Buffer.from('#!/bin/sh\n'), 'ERR_BPF_FORMAT', 0, /not a sound BPF object file/],
    ['an empty file', new Uint8Array(0), 'ERR_BPF_FORMAT', 0, /it is empty/],
  ])('refuses %s in one line', async (_, source, code, errno, message) => {
    const error = await failure(() => addon().open(source));
    expect(error).toMatchObject({ name: 'BpfError', code, errno });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
  });

  it('refuses an executable of another kind', async () => {
    expect((await failure(() => addon().open(process.execPath))).code).toMatch(/ERR_BPF_FORMAT|EFBIG/);
    expect((await failure(() => addon().open('/bin/true'))).code).toBe('ERR_BPF_FORMAT');
  });

  it('refuses a truncated file, wherever it ends', () => {
    const bytes = readFileSync(selftest('counter'));
    const directory = mkdtempSync(join(tmpdir(), 'kbtop-'));
    try {
      for (const size of [1, 16, 63, 64, 65, 500, bytes.length >> 1, bytes.length - 1]) {
        const path = join(directory, `${size}.bpf.o`);
        writeFileSync(path, bytes.subarray(0, size));
        expect(() => addon().open(path), `${size} bytes`).toThrow(/not a sound BPF object file/);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('says so when a type leads nowhere, which libbpf itself would follow', () => {
    const bytes = readFileSync(selftest('counter'));
    let refused = 0;
    // Flip bits of .BTF, found by its magic number and version.
    const start = bytes.indexOf(Buffer.from([0x9f, 0xeb, 0x01, 0x00]));
    for (let at = start + 24; at < start + 400; at += 4) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt32LE(0x7fff_fff0, at);
      try {
        addon().open(damaged).close();
      } catch (error) {
        if (/BTF type \d+ is corrupt/.test((error as Error).message)) refused++;
      }
    }
    expect(refused).toBeGreaterThan(10);
  });

  it('survives damaged files without a crash', async () => {
    const process = child('open-many.ts', ['4000']);
    const codes = await process.next();
    expect(await process.exited).toMatchObject({ code: 0, signal: null });
    expect(Number(codes['ERR_BPF_FORMAT'])).toBeGreaterThan(1000);
  });
});

describe('open options', () => {
  it.each([
    ['counter has no program nobody', { autoload: { nobody: true } }],
    ['counter has no global variable nobody', { globals: { nobody: 1 } }],
    ['counter has no map nobody', { maxEntries: { nobody: 1 } }],
    ['counter has no map nobody', { mapFlags: { nobody: 1 } }],
    ['options.maxEntries.by_nr must be an integer from 1', { maxEntries: { by_nr: 0 } }],
    ['must be an integer', { maxEntries: { by_nr: 1.5 } }],
    ['does not fit variable small (u8)', { globals: { small: 256 } }],
    ['does not fit variable small (u8)', { globals: { small: -1 } }],
    ['does not fit variable signed_value (s32)', { globals: { signed_value: 2 ** 31 } }],
    ['does not fit variable flag (bool)', { globals: { flag: 2 } }],
    ['more than 64 bits', { globals: { hits: 2n ** 64n } }],
    ['must be an integer', { globals: { hits: 0.5 } }],
    ['label is not a number: give its bytes', { globals: { label: 5 } }],
    ['label has 16 bytes, not 15', { globals: { label: new Uint8Array(15) } }],
    ['must be a number, bigint, boolean or Uint8Array', { globals: { hits: 'x' as unknown as number } }],
    ['options.logLevel must be an integer from 0 to 2', { logLevel: 3 as 2 }],
    ['options.name must be a string', { name: 5 as unknown as string }],
  ])('refuses: %s', async (message, options) => {
    const error = await failure(() => addon().open(selftest('counter'), options));
    expect(error.code).toBe('ERR_BPF_ARGUMENT');
    expect(error.message).toContain(message);
  });

  it('refuses sources and options of the wrong kind', async () => {
    const wrong = addon().open as (source: unknown, options?: unknown) => unknown;
    for (const source of [undefined, null, 5, {}, new Uint16Array(4), new ArrayBuffer(4)]) {
      expect((await failure(() => wrong(source))).code).toBe('ERR_BPF_ARGUMENT');
    }
    expect((await failure(() => wrong(selftest('counter'), 5))).code).toBe('ERR_BPF_ARGUMENT');
    expect((await failure(() => wrong(selftest('counter'), { globals: 5 }))).code).toBe('ERR_BPF_ARGUMENT');
  });

  it('cannot be gone around by calling a class', () => {
    const object = open('counter');
    const Class = object.constructor as new () => unknown;
    expect(() => new Class()).toThrow(TypeError);
    const close = object.close;
    expect(() => close.call({} as never)).toThrow('Illegal invocation');
  });
});
