/** What stands in every Frame about the node itself. */
import { readFileSync } from 'node:fs';
import { arch, hostname, release } from 'node:os';
import { ARCHES, archNamed } from '../frame/arch.ts';
import type { NodeInfo } from '../frame/frame.ts';

/** Number of CPUs in a kernel list such as "0-3,8". */
export function countCpuList(list: string): number {
  let count = 0;
  for (const part of list.trim().split(',')) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first !== undefined) count += Number(last) - Number(first) + 1;
  }
  return count;
}

function onlineCpus(): number {
  try {
    return countCpuList(readFileSync('/sys/devices/system/cpu/online', 'utf8'));
  } catch {
    return 1;
  }
}

/** As uname(1) says it. */
function machineOf(node: string): string {
  const known = archNamed(node);
  return known === null ? node : ARCHES[known].machine;
}

/** @param name Kubernetes' name of this node (NODE_NAME is from the downward API); null or empty: the hostname */
export function readNode(cgroupMode: NodeInfo['cgroupMode'], name: string | null | undefined = process.env['NODE_NAME']): NodeInfo {
  return { name: name || hostname(), kernel: release(), arch: machineOf(arch()), cpus: onlineCpus(), cgroupMode };
}
