/** Whether BPF can work here at all, from two files: says the reason before anything is loaded or drawn. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { privileges, systemFeatures } from '../bpf/features.ts';
import { EXIT, KbtopError } from './errors.ts';

/** May this user load tracing programs: root, or CAP_BPF with CAP_PERFMON. Unknown counts as yes. */
function mayLoad(root: string): boolean {
  const { has } = privileges(root);
  return has('CAP_SYS_ADMIN') !== false || (has('CAP_BPF') === true && has('CAP_PERFMON') === true);
}

export interface Obstacle {
  readonly reason: string;
  readonly fix: string;
}

/** Why no pane can work; null when they may. @param root directory that stands for /, for tests */
export function bpfObstacle(root = '/'): Obstacle | null {
  if (!existsSync(join(root, 'proc/self'))) return { reason: '/proc is not mounted, where the kernel tells of processes and cgroups', fix: 'mount -t proc proc /proc' };
  if (!mayLoad(root)) return { reason: 'BPF needs root, or the capabilities CAP_BPF and CAP_PERFMON', fix: 'run it with sudo' };
  const btf = systemFeatures(root).find(({ feature }) => feature === 'BTF');
  if (btf?.ok !== false) return null;
  const [reason = '', fix = 'see kbtop doctor'] = btf.reason.split('; ');
  return { reason: `BPF programs cannot be fitted to this kernel: ${reason}`, fix };
}

/** @throws KbtopError (not possible here) when no pane could work */
export function requireBpf(root = '/'): void {
  const obstacle = bpfObstacle(root);
  if (obstacle) throw new KbtopError(EXIT.impossible, `${obstacle.reason}: ${obstacle.fix}, or see what is missing with kbtop doctor`);
}
