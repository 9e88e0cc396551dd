import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GROUPS, featureCheck } from '../../../src/cli/doctor/check.ts';
import { cgroupChecks, memlockCheck, systemChecks, terminalChecks, versionChecks } from '../../../src/cli/doctor/system.ts';

describe('the doctor without BPF', () => {
  let root: string;
  beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'kbtop-root-')); });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  it('answers on an empty machine without crashing', () => {
    const checks = systemChecks(root);
    expect(checks.length).toBeGreaterThan(8);
    for (const one of checks) {
      expect(GROUPS).toContain(one.group);
      expect(one.reason).not.toBe('');
      expect(one.reason).not.toContain('\n');
    }
    expect(checks.find(({ check }) => check === 'BTF')).toMatchObject({ ok: 'no', fix: 'mount -t sysfs sysfs /sys' });
    write('sys/kernel/notes', '');
    expect(systemChecks(root).find(({ check }) => check === 'BTF')).toMatchObject({ ok: 'no', fix: 'use a distribution kernel that has it' });
    expect(checks.find(({ check }) => check === 'cgroup mode')).toMatchObject({ ok: 'unknown' });
    expect(checks.find(({ check }) => check === 'RLIMIT_MEMLOCK')).toMatchObject({ ok: 'unknown' });
  });

  it.each([['5.10.0', '65536', 'no'], ['5.10.0', 'unlimited', 'yes'], ['5.11.0', '65536', 'yes'], ['6.1.0-13-amd64', '0', 'yes']])('on Linux %s a memlock limit of %s is fine: %s', (release, limit, ok) => {
    write('proc/sys/kernel/osrelease', `${release}\n`);
    write('proc/self/limits', `Limit                     Soft Limit           Hard Limit           Units     \nMax locked memory         ${limit}              ${limit}              bytes     \n`);
    expect(memlockCheck(root).ok).toBe(ok);
  });

  it('names the cgroup mode, and what is not mounted', () => {
    write('proc/self/cgroup', '0::/a\n');
    write('proc/self/mountinfo', '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n');
    expect(cgroupChecks(join(root, 'proc/self'))).toMatchObject([{ ok: 'yes', reason: 'v2' }, { ok: 'yes', reason: '/sys/fs/cgroup' }]);
    write('proc/self/mountinfo', '');
    expect(cgroupChecks(join(root, 'proc/self'))[1]).toMatchObject({ ok: 'no' });
  });

  it('judges the terminal by its environment', () => {
    const stdout = { isTTY: true, columns: 80, rows: 24, getColorDepth: () => 8 } as unknown as NodeJS.WriteStream;
    const by = (env: NodeJS.ProcessEnv): Record<string, string> => Object.fromEntries(terminalChecks(env, stdout).map(({ check, ok }) => [check, ok]));
    expect(by({ TERM: 'xterm-256color', LANG: 'C.UTF-8' })).toMatchObject({ colours: 'yes', Unicode: 'yes' });
    expect(by({ TERM: 'xterm', LANG: 'C', NO_COLOR: '1' })).toMatchObject({ colours: 'no', Unicode: 'no' });
  });

  it('says why there is no libbpf', () => {
    expect(versionChecks('1.1')[2]).toMatchObject({ ok: 'yes' });
    expect(versionChecks({ reason: 'not built' })[2]).toMatchObject({ check: 'native addon', ok: 'no', reason: 'not built' });
  });

  it('takes the advice out of a bad feature\'s reason', () => {
    expect(featureCheck('kernel', { feature: 'x', ok: false, reason: 'a; b; do c', log: '' })).toMatchObject({ ok: 'no', reason: 'a; b', fix: 'do c' });
    expect(featureCheck('kernel', { feature: 'x', ok: true, reason: 'a; b', log: '' })).toMatchObject({ ok: 'yes', reason: 'a; b', fix: null });
  });
});
