/**
 * The ladder of privileges: what kbtop can do with which, from none to root. One table for what doctor shows, for what is
 * said when nothing can be measured, and for docs/privileges.md. What each rung gives was found out by standing on it
 * (test/cli/e2e/privileges.test.ts).
 */
import { type Capability, type Privileges, holds } from '../bpf/capabilities.ts';

export interface Rung {
  readonly name: 'measure' | 'names' | 'node' | 'root';
  /** Beyond those of the rungs below. */
  readonly capabilities: readonly Capability[];
  /** Whether it has to be user 0: some files and sockets ask for nothing else. */
  readonly root: boolean;
  readonly gives: string;
  /** What is not to be had below it. */
  readonly lost: string;
}

/** What needs no rung at all. */
export const WITHOUT = 'kbtop replay, kbtop demo and kbtop attach need no privilege';

/** From the bottom. */
export const LADDER: readonly Rung[] = [
  {
    name: 'measure', capabilities: ['CAP_BPF', 'CAP_PERFMON'], root: false,
    gives: 'every pane, with names from cgroup paths, the Kubernetes API and the kubelet',
    lost: 'every pane',
  },
  {
    name: 'names', capabilities: ['CAP_DAC_READ_SEARCH'], root: false,
    gives: 'names from the runtime\'s files and the kubelet\'s logs; tracefs where it is mounted, so cheap opens and every failed connect',
    lost: 'names from the runtime\'s files; connects that fail before their SYN; opens cost every system call on the node 0.1 us',
  },
  {
    name: 'node', capabilities: ['CAP_SYS_ADMIN'], root: false,
    gives: 'tracefs where nobody has mounted it; measured costs to choose the level of the syscalls pane by',
    lost: 'tracefs, unless it is mounted; the cost of the syscalls pane is estimated, not measured',
  },
  {
    name: 'root', capabilities: ['CAP_NET_ADMIN', 'CAP_SYS_PTRACE'], root: true,
    gives: 'names and labels from the runtime\'s socket; faults, with their audit in /var/log/kbtop',
    lost: 'names and labels from the runtime\'s socket; faults, whose audit only root may write',
  },
];

/** Whether a rung is reached, for itself. Null when it cannot be told. */
export function reaches({ capabilities, root }: Rung, own: Privileges): boolean | null {
  const answers = [...capabilities.map((capability) => holds(capability, own)), ...(root ? [own.euid === null ? null : own.euid === 0 && !own.nested] : [])];
  return answers.includes(false) ? false : answers.includes(null) ? null : true;
}

/** Said where a user namespace hides what the host thinks of its root. */
export const NESTED = 'this is a user namespace, whose root and capabilities count for nothing to BPF';

const short = (capability: Capability): string => capability.slice('CAP_'.length);

/** What to run, or to write into a pod's manifest, to stand on a rung. One line. @param inPod whether kbtop runs in Kubernetes */
export function stepTo(rung: Rung, own: Pick<Privileges, 'euid' | 'nested'>, inPod: boolean): string {
  const all = LADDER.slice(0, LADDER.indexOf(rung) + 1).flatMap(({ capabilities }) => capabilities);
  if (own.nested) return inPod ? 'hostUsers: true in the pod\'s spec' : 'run it outside of the user namespace';
  if (inPod || own.euid === 0) return rung.root ? 'securityContext: { privileged: true }' : `securityContext: { ${own.euid === 0 ? '' : 'runAsUser: 0, '}capabilities: { add: [${all.map(short).join(', ')}] } }`;
  if (rung.root) return 'sudo kbtop';
  const list = all.map((capability) => `+${short(capability).toLowerCase()}`).join(',');
  return `sudo setpriv --reuid $(id -u) --regid $(id -g) --init-groups --inh-caps ${list} --ambient-caps ${list} kbtop`;
}
