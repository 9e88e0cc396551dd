import { constants } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFlagNames } from '../../src/probes/open-flags.ts';

describe('open flags', () => {
  const x64 = openFlagNames('x64'), arm64 = openFlagNames('arm64'), own = openFlagNames();

  it('begin with the access mode', () => {
    expect(x64(0)).toEqual(['O_RDONLY']);
    expect(x64(1)).toEqual(['O_WRONLY']);
    expect(x64(2)).toEqual(['O_RDWR']);
    expect(x64(3)).toEqual(['O_ACCMODE']);
    expect(x64(0o2101)).toEqual(['O_WRONLY', 'O_CREAT', 'O_APPEND']);
  });

  it('take flags that hold others for one', () => {
    expect(x64(0o4010000)).toEqual(['O_RDONLY', 'O_SYNC']);
    expect(x64(0o10000)).toEqual(['O_RDONLY', 'O_DSYNC']);
    expect(x64(0o20200002)).toEqual(['O_RDWR', 'O_TMPFILE']);
    expect(x64(0o200000)).toEqual(['O_RDONLY', 'O_DIRECTORY']);
  });

  it('know that arm has four bits in other places', () => {
    expect(arm64(0o40000 | 0o100000)).toEqual(['O_RDONLY', 'O_DIRECTORY', 'O_NOFOLLOW']);
    expect(x64(0o40000 | 0o100000)).toEqual(['O_RDONLY', 'O_DIRECT', 'O_LARGEFILE']);
  });

  it('show bits without a name in hexadecimal, the upper half of openat2 too', () => {
    expect(x64(0x4000000)).toEqual(['O_RDONLY', '0x4000000']);
    expect(x64(0x80000000)).toEqual(['O_RDONLY', '0x80000000']);
    expect(x64(2 ** 40 + 1)).toEqual(['O_WRONLY', '0x10000000000']);
    expect(x64(2 ** 32 + 0x80000000)).toEqual(['O_RDONLY', '0x180000000']);
  });

  const NAMES = ['O_CREAT', 'O_EXCL', 'O_NOCTTY', 'O_TRUNC', 'O_APPEND', 'O_DIRECTORY', 'O_NOFOLLOW', 'O_SYNC', 'O_DSYNC', 'O_DIRECT', 'O_NOATIME', 'O_NONBLOCK'] as const;
  it.each(NAMES)('agree with the C library of this machine: %s', (name) => {
    expect(own(constants[name])).toEqual(['O_RDONLY', name]);
  });
});
