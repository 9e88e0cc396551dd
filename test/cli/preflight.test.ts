import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireBpf } from '../../src/cli/preflight.ts';

/** Bits of CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF. */
const [ADMIN, PERFMON, BPF] = [1n << 21n, 1n << 38n, 1n << 39n];

describe('requireBpf', () => {
  let root: string;
  beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'kbtop-root-')); });
  afterEach(() => rmSync(root, { recursive: true }));

  function machine(capabilities: bigint, btf: boolean): void {
    const files = { 'proc/self/status': `Uid:\t1000\t1000\t1000\t1000\nCapEff:\t${capabilities.toString(16).padStart(16, '0')}\n`, ...(btf ? { 'sys/kernel/btf/vmlinux': '' } : { 'sys/kernel/notes': '' }) };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  }

  it.each([['root', ADMIN | BPF | PERFMON], ['CAP_SYS_ADMIN alone', ADMIN], ['CAP_BPF and CAP_PERFMON', BPF | PERFMON]])('lets %s pass', (_, capabilities) => {
    machine(capabilities, true);
    expect(() => requireBpf(root)).not.toThrow();
  });

  it.each([['nothing', 0n], ['CAP_BPF alone', BPF], ['CAP_PERFMON alone', PERFMON]])('turns %s away with the advice', (_, capabilities) => {
    machine(capabilities, true);
    expect(() => requireBpf(root)).toThrow(expect.objectContaining({ exitCode: 3, message: expect.stringContaining('run it with sudo') as string }) as Error);
  });

  it('turns a kernel without BTF away', () => {
    machine(ADMIN, false);
    expect(() => requireBpf(root)).toThrow(expect.objectContaining({ exitCode: 3, message: expect.stringContaining('/sys/kernel/btf/vmlinux is missing') as string }) as Error);
  });
});
