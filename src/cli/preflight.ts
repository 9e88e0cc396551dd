/** Whether BPF can work here at all, from two files: says the reason before anything is loaded or drawn. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { privileges } from '../bpf/capabilities.ts';
import { systemFeatures } from '../bpf/features.ts';
import { EXIT, KbtopError } from './errors.ts';
import { LADDER, NESTED, WITHOUT, reaches } from './ladder.ts';

/** The lowest rung of the ladder: nothing can be measured below it. */
const LOWEST = LADDER[0];

export interface Obstacle {
  readonly reason: string;
  readonly fix: string;
  /** What works all the same. */
  readonly otherwise?: string;
}

/** Why no pane can work; null when they may. @param root directory that stands for /, for tests */
export function bpfObstacle(root = '/'): Obstacle | null {
  if (!existsSync(join(root, 'proc/self'))) return { reason: '/proc is not mounted, where the kernel tells of processes and cgroups', fix: 'mount -t proc proc /proc' };
  const own = privileges(root);
  // Unknown counts as yes.
  if (LOWEST && reaches(LOWEST, own) === false) {
    const needs = `BPF needs root, or the capabilities ${LOWEST.capabilities.join(' and ')}`;
    return own.nested ? { reason: `${needs}, and ${NESTED}`, fix: 'run it on the node, or in a pod without hostUsers: false', otherwise: WITHOUT } : { reason: needs, fix: 'run it with sudo', otherwise: WITHOUT };
  }
  const btf = systemFeatures(root).find(({ feature }) => feature === 'BTF');
  if (btf?.ok !== false) return null;
  const [reason = '', fix = 'see kbtop doctor'] = btf.reason.split('; ');
  return { reason: `BPF programs cannot be fitted to this kernel: ${reason}`, fix };
}

/** @throws KbtopError (not possible here) when no pane could work */
export function requireBpf(root = '/'): void {
  const obstacle = bpfObstacle(root);
  if (!obstacle) return;
  const { reason, fix, otherwise } = obstacle;
  throw new KbtopError(EXIT.impossible, `${reason}: ${fix}, or see ${otherwise === undefined ? 'what is missing' : 'the ladder of privileges'} with kbtop doctor${otherwise === undefined ? '' : `; ${otherwise}`}`);
}
