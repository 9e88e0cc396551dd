/** How to start this very program once more, as a process of its own. */
import { basename, dirname, join } from 'node:path';

/**
 * The start of an argv: Node, its settings and the bundle; a command and its flags follow. In a release Node runs under the
 * loader of its own libraries (tools/lib/release/launcher.c), so it is the loader that the kernel names: the launcher knows the rest.
 */
export function ownCommand({ execPath, execArgv, argv }: Pick<NodeJS.Process, 'execPath' | 'execArgv' | 'argv'> = process): readonly [string, ...string[]] {
  if (/^ld[-.\w]*\.so/.test(basename(execPath))) return [join(dirname(dirname(execPath)), 'bin/kbtop')];
  return [execPath, ...execArgv, argv[1] ?? ''];
}
