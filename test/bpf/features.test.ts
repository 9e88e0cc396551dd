import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { privileges } from '../../src/bpf/capabilities.ts';
import { type Feature, kernelVersion, systemFeatures } from '../../src/bpf/features.ts';
import { readKernelConfig } from '../../src/bpf/kernel-config.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kbtop-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

const rows = (): Record<string, Feature> => Object.fromEntries(systemFeatures(root).map((row) => [row.feature, row]));
const status = (uid: number, capabilities: bigint): string => `Name:\tnode\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nCapEff:\t${capabilities.toString(16).padStart(16, '0')}\n`;
const ALL = 0x1ff_ffff_ffffn;

/** A common node: root, Linux 6.1, everything there. */
function goodNode(): void {
  put('proc/self/status', status(0, ALL));
  put('proc/sys/kernel/osrelease', '6.1.0-25-amd64\n');
  put('sys/kernel/btf/vmlinux', 'x');
  put('sys/kernel/security/lockdown', '[none] integrity confidentiality\n');
  put('sys/kernel/security/lsm', 'lockdown,capability,apparmor,bpf\n');
  put('proc/sys/kernel/unprivileged_bpf_disabled', '2\n');
  put('proc/sys/net/core/bpf_jit_enable', '1\n');
  put('sys/kernel/tracing/current_tracer', 'nop\n');
  put('boot/config-6.1.0-25-amd64', 'CONFIG_BPF_SYSCALL=y\nCONFIG_DEBUG_INFO_BTF=y\n# CONFIG_BPF_LSM is not set\nCONFIG_LSM="a,b"\nCONFIG_XBPF_EVENTS=y\n');
}

describe('systemFeatures', () => {
  it('has nothing to complain about on a good node', () => {
    goodNode();
    const bad = systemFeatures(root).filter((row) => row.ok !== true && !row.feature.startsWith('CONFIG_'));
    expect(bad).toEqual([]);
    expect(rows()['kernel']).toMatchObject({ ok: true, reason: 'Linux 6.1.0-25-amd64' });
    expect(rows()['kernel config']?.reason).toBe('/boot/config-6.1.0-25-amd64');
    expect(rows()['CONFIG_BPF_SYSCALL']).toMatchObject({ ok: true, reason: 'y: BPF at all' });
    expect(rows()['CONFIG_BPF_LSM']).toMatchObject({ ok: false, reason: 'not set; it gives LSM programs' });
    expect(rows()['CONFIG_BPF_EVENTS']?.ok).toBe(false);
  });

  it('answers every question on an empty one, with a reason', () => {
    for (const row of systemFeatures(root)) {
      expect(row.ok, row.feature).not.toBe(true);
      expect(row.reason, row.feature).toMatch(/^\S[^\n]+$/);
    }
  });

  it.each([
    ['lockdown', 'sys/kernel/security/lockdown', 'none integrity [confidentiality]', false, /may not read kernel memory/],
    ['lockdown', 'sys/kernel/security/lockdown', 'none [integrity] confidentiality', true, /integrity mode/],
    ['kernel', 'proc/sys/kernel/osrelease', '5.4.0-150-generic', false, /older than 5\.10/],
    ['kernel', 'proc/sys/kernel/osrelease', '5.10.0', true, /5\.10/],
    ['kernel', 'proc/sys/kernel/osrelease', '4.19.1', false, /older/],
    ['kernel', 'proc/sys/kernel/osrelease', 'custom', null, /not understood/],
    ['BPF JIT', 'proc/sys/net/core/bpf_jit_enable', '0', false, /sysctl net\.core\.bpf_jit_enable=1/],
    ['BPF LSM active', 'sys/kernel/security/lsm', 'lockdown,apparmor', false, /lsm=lockdown,apparmor,bpf/],
    ['unprivileged_bpf_disabled', 'proc/sys/kernel/unprivileged_bpf_disabled', '0', true, /^0: /],
  ])('%s by %s = %s', (feature, path, content, ok, reason) => {
    goodNode();
    put(path, `${content}\n`);
    expect(rows()[feature]).toMatchObject({ ok });
    expect(rows()[feature]?.reason).toMatch(reason);
  });

  it('says what is missing without BTF and tracefs', () => {
    goodNode();
    rmSync(join(root, 'sys/kernel/btf/vmlinux'));
    rmSync(join(root, 'sys/kernel/tracing/current_tracer'));
    expect(rows()['BTF']).toMatchObject({ ok: false, reason: expect.stringContaining('CONFIG_DEBUG_INFO_BTF') as string });
    expect(rows()['tracefs']).toMatchObject({ ok: false, reason: expect.stringContaining('mount -t tracefs') as string });
  });

  it.each([
    ['a plain user', 1000, 0n, { root: false, CAP_BPF: false, CAP_PERFMON: false, CAP_SYS_ADMIN: false, CAP_SYS_RESOURCE: true }],
    ['a user with CAP_BPF and CAP_PERFMON', 1000, (1n << 39n) | (1n << 38n), { root: false, CAP_BPF: true, CAP_PERFMON: true, CAP_SYS_ADMIN: false, CAP_SYS_RESOURCE: true }],
    ['CAP_SYS_ADMIN alone, which covers the others', 0, 1n << 21n, { root: true, CAP_BPF: true, CAP_PERFMON: true, CAP_SYS_ADMIN: true, CAP_SYS_RESOURCE: true }],
    ['root in a container without capabilities', 0, 0n, { root: true, CAP_BPF: false, CAP_PERFMON: false, CAP_SYS_ADMIN: false, CAP_SYS_RESOURCE: true }],
  ])('%s', (_, uid, capabilities, expected) => {
    goodNode();
    put('proc/self/status', status(uid, capabilities));
    const got = rows();
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, got[name]?.ok]))).toEqual(expected);
    expect(got['CAP_BPF']?.reason.includes('run as root')).toBe(uid !== 0 && !expected.CAP_BPF);
  });

  it('asks for CAP_SYS_RESOURCE only where memory is still charged to RLIMIT_MEMLOCK', () => {
    goodNode();
    put('proc/self/status', status(0, 1n << 21n));
    put('proc/sys/kernel/osrelease', '5.10.0\n');
    expect(rows()['CAP_SYS_RESOURCE']?.ok).toBe(false);
  });
});

describe('on this machine', () => {
  it('agrees with other tools', () => {
    const here = Object.fromEntries(systemFeatures().map((row) => [row.feature, row]));
    expect(here['root']?.ok).toBe(process.geteuid?.() === 0);
    expect(here['BTF']?.ok).toBe(existsSync('/sys/kernel/btf/vmlinux'));
    expect(here['kernel']?.reason).toContain(release());
    const effective = /^CapEff:\s*(\w+)/m.exec(execFileSync('cat', ['/proc/self/status'], { encoding: 'utf8' }))?.[1] ?? '0';
    expect(privileges().has('CAP_SYS_ADMIN')).toBe(((BigInt(`0x${effective}`) >> 21n) & 1n) === 1n);
    expect(privileges().euid).toBe(process.geteuid?.());
  });
});

describe('readKernelConfig', () => {
  it('reads compressed and plain files, and prefers the running kernel\'s own', () => {
    put('boot/config-6.1', 'CONFIG_A=m\n');
    expect(readKernelConfig('6.1', root)?.get('CONFIG_A')).toBe('m');
    put('proc/config.gz', gzipSync('CONFIG_A=y\nCONFIG_S="text"\n# CONFIG_B is not set\n'));
    const config = readKernelConfig('6.1', root);
    expect([config?.source, config?.get('CONFIG_A'), config?.get('CONFIG_S'), config?.get('CONFIG_B')]).toEqual(['/proc/config.gz', 'y', 'text', null]);
  });

  it('passes over a broken file', () => {
    put('proc/config.gz', 'not gzip');
    expect(readKernelConfig('6.1', root)).toBeNull();
  });
});

describe('kernelVersion', () => {
  it.each([['6.18.44-fc-v669', [6, 18]], ['5.10', [5, 10]], ['nonsense', null]])('%s', (text, version) => expect(kernelVersion(text)).toEqual(version));
});
