import { mkdtempSync, openSync, closeSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { addon } from './support.ts';

it('a lock is had by one open file, and goes with it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kbtop-lock-'));
  const [one, other] = [openSync(directory, 'r'), openSync(directory, 'r')];
  try {
    expect([addon().tryLock(one), addon().tryLock(one), addon().tryLock(other)]).toEqual([true, true, false]);
    closeSync(one);
    expect(addon().tryLock(other)).toBe(true);
    expect(() => addon().tryLock(-1)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  } finally {
    closeSync(other);
    rmSync(directory, { recursive: true });
  }
});
