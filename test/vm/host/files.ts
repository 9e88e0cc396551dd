/** Which test files a guest runs unless told: those whose outcome depends on the kernel. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Whole directories, but for what compiles or is the same everywhere. */
const DIRECTORIES = ['test/vm', 'test/bpf', 'test/native'];
const LEFT_OUT = ['test/native/build.test.ts', 'test/native/open.test.ts', 'test/bpf/records.test.ts'];
/** Of the engine of faults. */
const ENGINE = ['capabilities', 'core', 'kernel-engine', 'oracle'];
const PANES = ['syscalls', 'runqueue', 'opens', 'tcp', 'containers', 'processes', 'ignored', 'throttle'];

/** Paths below the checkout's root. */
export function testFiles(root: string): string[] {
  const whole = DIRECTORIES.flatMap((directory) =>
    readdirSync(join(root, directory)).filter((name) => name.endsWith('.test.ts')).sort().map((name) => `${directory}/${name}`));
  return [...whole.filter((file) => !LEFT_OUT.includes(file)), 'test/identity/identity.test.ts', ...ENGINE.map((name) => `test/chaos/engine/${name}.test.ts`), ...PANES.map((pane) => `test/probes/${pane}.test.ts`)];
}
