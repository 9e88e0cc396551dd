import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { objectPath } from '../../src/bpf/objects.ts';
import { PROGRAM_FEATURES, programFeature, programFeatures } from '../../src/bpf/program-features.ts';
import { addon, noBpf } from '../native/support.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('program features', () => {
  it('have an object each', () => {
    const built = readdirSync(dirname(objectPath('features/tp_btf'))).filter((file) => file.endsWith('.bpf.o')).map((file) => file.replace('.bpf.o', ''));
    expect(built.sort()).toEqual([...PROGRAM_FEATURES].sort());
  });

  it('answer no with a reason when their object is missing', async () => {
    vi.stubEnv('KBTOP_BPF_DIR', '/nonexistent');
    expect(await programFeature(addon(), 'tp_btf')).toEqual({
      feature: 'tp_btf', ok: false, reason: 'cannot open BPF object /nonexistent/features/tp_btf.bpf.o: no such file or directory (ENOENT)', log: '',
    });
  });
});

describe.skipIf(noBpf)('program features, tried (needs root and BTF)', () => {
  it('answer every question in order, and leave nothing behind', async () => {
    const files = (): number => readdirSync('/proc/self/fd').length;
    const before = files();
    const rows = await programFeatures(addon());
    expect(rows.map((row) => row.feature)).toEqual([...PROGRAM_FEATURES]);
    for (const row of rows) {
      expect(row.reason, row.feature).toMatch(/^\S[^\n]+$/);
      expect(row.reason, row.feature).not.toContain('cannot load');
      expect(row.reason === 'loads and attaches', row.feature).toBe(row.ok);
    }
    expect(files()).toBe(before);
  });

  it('say yes to what the probes are made of', async () => {
    const rows = await programFeatures(addon(), ['tp_btf', 'ringbuf', 'task_storage', 'iter']);
    expect(rows.filter((row) => !row.ok)).toEqual([]);
  });

  it('say no to a user without privileges', async () => {
    const { child } = await import('../native/support.ts');
    const told = await child(join('..', '..', 'bpf', 'children', 'unprivileged-features.ts')).next();
    expect(told['rows']).toHaveLength(2);
    for (const row of told['rows'] as { ok: boolean; reason: string }[]) {
      expect(row.ok).toBe(false);
      expect(row.reason).toMatch(/not permitted \(EPERM\).*needs root, or CAP_BPF and CAP_PERFMON/);
    }
  });
});
