/** What safety rules and warnings ask about the node. */
import { join } from 'node:path';
import type { ContainerInfo } from '../../frame/frame.ts';
import { fullName } from '../../frame/names.ts';
import type { NodeFacts } from '../node-warnings.ts';
import { readText } from './processes.ts';

/** Of /proc/sys/kernel; null: this kernel has no such setting, or it cannot be read. */
function isSet(name: string, proc: string): boolean | null {
  const text = readText(join(proc, 'sys/kernel', name))?.trim();
  return text === undefined || !/^-?\d+$/.test(text) ? null : Number(text) !== 0;
}

/** Of these containers those that the kubelet runs commands in, as the Kubernetes API or the kubelet tells. */
export function execProbed(containers: readonly ContainerInfo[]): string[] {
  return [...new Set(containers.filter(({ container, podStatus }) => container !== null && podStatus?.execProbes?.includes(container) === true).map(fullName))];
}

export function nodeFacts(cgroupMode: NodeFacts['cgroupMode'], { ioUring, execProbes }: Pick<NodeFacts, 'ioUring' | 'execProbes'>, proc = '/proc'): NodeFacts {
  return { panicOnOops: isSet('panic_on_oops', proc), hungTaskPanic: isSet('hung_task_panic', proc), softlockupPanic: isSet('softlockup_panic', proc), cgroupMode, execProbes, ioUring };
}
