/** The guards of killed plugins, which go on asking a cluster that a test has stopped. */
import { readdirSync, readFileSync } from 'node:fs';
import { GUARD } from '../../../src/cli/kubectl/guard.ts';

/** End those that were begun with this in their environment. */
export function endGuards(mark: string): void {
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(GUARD) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
}
