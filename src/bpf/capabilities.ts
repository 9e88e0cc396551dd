/** What this process may do, as capabilities(7) tells it. */
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The capabilities that matter to kbtop, by their bit, and what each is for. */
export const CAPABILITIES = {
  CAP_BPF: { bit: 39, gives: 'load programs and maps' },
  CAP_PERFMON: { bit: 38, gives: 'attach tracing programs and read kernel memory' },
  CAP_DAC_READ_SEARCH: { bit: 2, gives: 'read what root alone may: the files of container runtimes, tracefs' },
  CAP_SYS_ADMIN: { bit: 21, gives: 'BPF statistics, lists of BPF ids, tracefs where nobody has mounted it' },
  CAP_NET_ADMIN: { bit: 12, gives: 'faults of socket calls by the hooks of a cgroup' },
  CAP_SYS_PTRACE: { bit: 19, gives: 'find the host\'s / in /proc/1/root, in a pod with hostPID; see processes where /proc hides them' },
  CAP_SYS_RESOURCE: { bit: 24, gives: 'raise RLIMIT_MEMLOCK' },
  CAP_DAC_OVERRIDE: { bit: 1, gives: 'open the socket of the container runtime, write where root alone may' },
} as const;
export type Capability = keyof typeof CAPABILITIES;

/** The first user namespace, whose inode number is fixed in the kernel (PROC_USER_INIT_INO). */
const INITIAL_USER_NAMESPACE = 'user:[4026531837]';

export interface Privileges {
  /** Effective user id; null when it cannot be told. */
  readonly euid: number | null;
  /** Whether it is in a user namespace below the first one: capabilities there are of no use for BPF, and its root is another user. */
  readonly nested: boolean;
  /** Null when it cannot be told. */
  has(capability: Capability): boolean | null;
}

function isNested(root: string): boolean {
  try {
    return readlinkSync(join(root, 'proc/self/ns/user')) !== INITIAL_USER_NAMESPACE;
  } catch {
    return false;
  }
}

/** Effective user and capabilities of this process. @param root directory that stands for /, for tests */
export function privileges(root = '/'): Privileges {
  let status = '';
  try {
    status = readFileSync(join(root, 'proc/self/status'), 'utf8');
  } catch {
    // no /proc: nothing can be told
  }
  const euid = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1];
  const mask = /^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1];
  const nested = isNested(root);
  return {
    nested,
    euid: euid === undefined ? null : Number(euid),
    has: (capability) => (mask === undefined ? null : !nested && (BigInt(`0x${mask}`) >> BigInt(CAPABILITIES[capability].bit) & 1n) === 1n),
  };
}

/** What makes a capability unnecessary here, in words; null when nothing does. Measured: see docs/privileges.md. */
export function insteadOf(capability: Capability, { euid, nested, has }: Privileges): string | null {
  switch (capability) {
    case 'CAP_BPF':
    case 'CAP_PERFMON':
    case 'CAP_NET_ADMIN': return has('CAP_SYS_ADMIN') === true ? 'CAP_SYS_ADMIN covers it' : null;
    case 'CAP_DAC_READ_SEARCH': return has('CAP_DAC_OVERRIDE') === true ? 'CAP_DAC_OVERRIDE covers it' : euid === 0 && !nested ? 'these files are root\'s own' : null;
    case 'CAP_DAC_OVERRIDE': return euid === 0 && !nested ? 'they are root\'s own' : null;
    default: return null;
  }
}

/** Whether what a capability gives is there, by itself or by another. Null when it cannot be told. */
export const holds = (capability: Capability, own: Privileges): boolean | null => (own.has(capability) === false ? insteadOf(capability, own) !== null : own.has(capability));
