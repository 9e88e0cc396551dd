/** What safety rules and warnings ask about the node. */
import { join } from 'node:path';
import type { NodeFacts } from '../node-warnings.ts';
import { readText } from './processes.ts';

/** Of /proc/sys/kernel; null: this kernel has no such setting, or it cannot be read. */
function isSet(name: string, proc: string): boolean | null {
  const text = readText(join(proc, 'sys/kernel', name))?.trim();
  return text === undefined || !/^-?\d+$/.test(text) ? null : Number(text) !== 0;
}

/** No source of names tells probes that run commands so far: none are known. */
export function nodeFacts(cgroupMode: NodeFacts['cgroupMode'], ioUring: NodeFacts['ioUring'], proc = '/proc'): NodeFacts {
  return { panicOnOops: isSet('panic_on_oops', proc), hungTaskPanic: isSet('hung_task_panic', proc), softlockupPanic: isSet('softlockup_panic', proc), cgroupMode, execProbes: [], ioUring };
}
