import { describe, expect, it } from 'vitest';
import { BACKEND_NAMES, type BackendName } from '../../../src/chaos/backends.ts';
import type { Usable } from '../../../src/chaos/select.ts';
import { chaosChecks } from '../../../src/cli/doctor/chaos.ts';

const found = (...refused: BackendName[]): Record<BackendName, Usable> => Object.fromEntries(BACKEND_NAMES.map((name) => [name, {
  usable: !refused.includes(name), reason: refused.includes(name) ? 'the kernel said no' : 'loads and attaches',
}])) as Record<BackendName, Usable>;

describe('chaosChecks', () => {
  it('answers for every backend, in the order of preference', () => {
    expect(chaosChecks(found(), '').map(({ check, ok }) => [check, ok])).toEqual(BACKEND_NAMES.map((name) => [name, 'yes']));
  });

  it('says no with the reason that was found, and yes with what it does', () => {
    const rows = chaosChecks(found('lsm', 'kprobe'), '');
    expect(rows.filter(({ ok }) => ok === 'no').map(({ check, reason }) => [check, reason])).toEqual([['kprobe', 'the kernel said no'], ['lsm', 'the kernel said no']]);
    expect(rows.find(({ check }) => check === 'delay')?.reason).toBe('bounded spin at the call\'s entry');
  });

  it('says unknown with the obstacle where nothing was tried', () => {
    const rows = chaosChecks(null, 'needs root');
    expect(new Set(rows.map(({ ok, reason }) => `${ok} ${reason}`))).toEqual(new Set(['unknown needs root']));
  });
});
