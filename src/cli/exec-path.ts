/** In a release Node runs under the loader of its own libraries (tools/lib/release/launcher.c): the kernel, and so process.execPath, names that. */
import { basename, dirname, join } from 'node:path';

/**
 * Let process.execPath be what starts Node once more with any arguments, as everybody expects who reads it: the launcher
 * `node` of the release. To be called first; elsewhere it does nothing.
 */
export function settleExecPath(own: Pick<NodeJS.Process, 'execPath'> = process): void {
  if (/^ld[-.\w]*\.so(?:\.\d+)?$/.test(basename(own.execPath))) own.execPath = join(dirname(dirname(own.execPath)), 'node');
}
