/**
 * What this user and this kernel bring along for BPF, read from files: cheap, and without touching the kernel's
 * state. What program types are really taken is tried out in program-features.ts.
 */
import { accessSync, constants, existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CAPABILITIES, type Capability, holds, insteadOf, privileges } from './capabilities.ts';
import { readKernelConfig } from './kernel-config.ts';

/** One question, answered. */
export interface Feature {
  readonly feature: string;
  /** null when it cannot be told from here. */
  readonly ok: boolean | null;
  /** What was found; when not ok, what that means and what to do. One line. */
  readonly reason: string;
  /** libbpf and verifier output, for --debug; empty for what is read from files. */
  readonly log: string;
}

/** Oldest kernel that kbtop's programs aim at. */
export const MIN_KERNEL: readonly [major: number, minor: number] = [5, 10];

/** Build options that matter, and what each is for. */
const OPTIONS: readonly (readonly [option: string, purpose: string])[] = [
  ['CONFIG_BPF_SYSCALL', 'BPF at all'],
  ['CONFIG_DEBUG_INFO_BTF', 'type information for CO-RE programs'],
  ['CONFIG_BPF_EVENTS', 'BPF on tracepoints'],
  ['CONFIG_CGROUP_BPF', 'cgroup programs'],
  ['CONFIG_SCHED_INFO', 'run delay of tasks'],
  ['CONFIG_CFS_BANDWIDTH', 'CPU throttling of cgroups'],
  ['CONFIG_KPROBE_EVENTS', 'kprobes'],
  ['CONFIG_BPF_LSM', 'LSM programs'],
  ['CONFIG_FUNCTION_ERROR_INJECTION', 'changing the result of system calls'],
];

/** Capabilities in the order in which they are asked about. */
const PRIVILEGES = Object.keys(CAPABILITIES) as readonly Capability[];
/** Features that are privileges; the others are the kernel's. */
export const isPrivilege = (feature: string): boolean => feature === 'root' || (PRIVILEGES as readonly string[]).includes(feature);

function read(root: string, path: string): string | null {
  try {
    return readFileSync(join(root, path), 'utf8').trim();
  } catch {
    return null;
  }
}

const row = (feature: string, ok: boolean | null, reason: string): Feature => ({ feature, ok, reason, log: '' });

function privilegeRows(root: string, release: string): Feature[] {
  const own = privileges(root);
  const { euid, has } = own;
  const advice = euid === 0 ? 'give this container or service the capability' : 'run as root';
  const capability = (name: Capability): Feature => {
    const { gives } = CAPABILITIES[name];
    const held = has(name);
    if (held === null) return row(name, null, '/proc/self/status cannot be read');
    if (held) return row(name, true, `held: ${gives}`);
    const instead = name === 'CAP_SYS_RESOURCE' && isAtLeast(release, [5, 11]) ? 'not needed since Linux 5.11' : insteadOf(name, own);
    return instead === null ? row(name, false, `not held: ${gives}; ${advice}`) : row(name, true, `not held, but ${instead}: ${gives}`);
  };
  const enough = holds('CAP_BPF', own) === true && holds('CAP_PERFMON', own) === true;
  return [
    row('root', euid === null ? null : euid === 0, euid === 0 ? 'effective user id 0' : `effective user id ${euid ?? 'unknown'}${enough ? ', with capabilities enough' : ': run with sudo'}`),
    ...PRIVILEGES.map(capability),
  ];
}

/** Linux release as [major, minor], null when it is not of that form. */
export function kernelVersion(release: string): readonly [number, number] | null {
  const match = /^(\d+)\.(\d+)/.exec(release);
  return match ? [Number(match[1]), Number(match[2])] : null;
}

function isAtLeast(release: string, [major, minor]: readonly [number, number]): boolean {
  const version = kernelVersion(release);
  return version !== null && (version[0] > major || (version[0] === major && version[1] >= minor));
}

function kernelRow(release: string): Feature {
  if (!kernelVersion(release)) return row('kernel', null, `release "${release}" is not understood`);
  if (isAtLeast(release, MIN_KERNEL)) return row('kernel', true, `Linux ${release}`);
  return row('kernel', false, `Linux ${release} is older than ${MIN_KERNEL.join('.')}, which kbtop's programs are made for`);
}

function btfRow(root: string): Feature {
  if (!existsSync(join(root, 'sys/kernel'))) return row('BTF', false, '/sys is not mounted, where the kernel tells its types; mount -t sysfs sysfs /sys');
  try {
    accessSync(join(root, 'sys/kernel/btf/vmlinux'), constants.R_OK);
    return row('BTF', true, '/sys/kernel/btf/vmlinux is readable');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return row('BTF', false, missing ? '/sys/kernel/btf/vmlinux is missing: the kernel was built without CONFIG_DEBUG_INFO_BTF; use a distribution kernel that has it' : '/sys/kernel/btf/vmlinux cannot be read');
  }
}

function lockdownRow(root: string): Feature {
  const text = read(root, 'sys/kernel/security/lockdown');
  if (text === null) return row('lockdown', read(root, 'sys/kernel/security/lsm') === null ? null : true, 'no lockdown file: the kernel has no lockdown, or securityfs is not mounted');
  const mode = /\[(\w+)\]/.exec(text)?.[1] ?? text;
  if (mode === 'confidentiality') return row('lockdown', false, 'confidentiality mode: BPF may not read kernel memory; boot with lockdown=integrity or none');
  return row('lockdown', true, mode === 'none' ? 'not locked down' : `${mode} mode: observing works, bpf_probe_write_user does not`);
}

function unprivilegedRow(root: string, privileged: boolean): Feature {
  const value = read(root, 'proc/sys/kernel/unprivileged_bpf_disabled');
  const meaning = value === '0' ? 'unprivileged users may load simple programs' : 'only privileged users may use BPF';
  return row('unprivileged_bpf_disabled', value === null ? null : privileged || value === '0', value === null ? 'kernel.unprivileged_bpf_disabled cannot be read' : `${value}: ${meaning}`);
}

function jitRow(root: string): Feature {
  const value = read(root, 'proc/sys/net/core/bpf_jit_enable');
  if (value === null) return row('BPF JIT', null, 'net.core.bpf_jit_enable is not visible (it belongs to the first network namespace)');
  return value === '0' ? row('BPF JIT', false, 'off: programs are interpreted and cost several times more; sysctl net.core.bpf_jit_enable=1') : row('BPF JIT', true, `on (${value})`);
}

/** Whether a directory may not be looked into; false where it is not there. */
function isClosed(directory: string): boolean {
  try {
    readdirSync(directory);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

function tracefsRow(root: string): Feature {
  const places = ['sys/kernel/tracing', 'sys/kernel/debug/tracing'];
  const place = places.find((path) => read(root, `${path}/available_events`) !== null || read(root, `${path}/current_tracer`) !== null);
  if (place) return row('tracefs', true, `mounted at /${place}`);
  if (isClosed(join(root, 'sys/kernel/tracing'))) return row('tracefs', false, 'mounted at /sys/kernel/tracing, where only root may read: kprobes and classic tracepoints need it; run as root, or with CAP_DAC_READ_SEARCH');
  return row('tracefs', false, 'not mounted: kprobes need it, classic tracepoints do without as root; mount -t tracefs tracefs /sys/kernel/tracing');
}

function lsmRow(root: string): Feature {
  const list = read(root, 'sys/kernel/security/lsm');
  if (list === null) return row('BPF LSM active', null, '/sys/kernel/security/lsm cannot be read');
  return list.split(',').includes('bpf') ? row('BPF LSM active', true, list) : row('BPF LSM active', false, `not among ${list}: LSM programs load but never run; boot with lsm=${list},bpf`);
}

function configRows(root: string, release: string): Feature[] {
  const config = readKernelConfig(release, root);
  if (!config) return [row('kernel config', null, `neither /proc/config.gz nor /boot/config-${release} can be read`)];
  return [
    row('kernel config', true, config.source),
    ...OPTIONS.map(([option, purpose]) => {
      const value = config.get(option);
      return row(option, value !== null, value === null ? `not set; it gives ${purpose}` : `${value}: ${purpose}`);
    }),
  ];
}

/** Everything that files tell. Never throws. @param root directory that stands for /, for tests */
export function systemFeatures(root = '/'): Feature[] {
  const release = read(root, 'proc/sys/kernel/osrelease') ?? '';
  const { euid, has } = privileges(root);
  const privileged = euid === 0 || has('CAP_BPF') === true || has('CAP_SYS_ADMIN') === true;
  return [
    ...privilegeRows(root, release),
    kernelRow(release),
    btfRow(root),
    lockdownRow(root),
    unprivilegedRow(root, privileged),
    jitRow(root),
    tracefsRow(root),
    lsmRow(root),
    ...configRows(root, release),
  ];
}
