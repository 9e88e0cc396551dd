/** Runs the built bin/kbtop as on the runtime's own host: its socket, bundles and logs lie at the usual places. */
import { type Ended, KBTOP, kbtop, type RunOptions } from '../cli/e2e/kbtop.ts';
import type { Runtime } from './runtime.ts';

export function kbtopOn(runtime: Runtime, args: readonly string[], options: Pick<RunOptions, 'env'> = {}): Promise<Ended> {
  const [command, ...prefix] = runtime.inside;
  return kbtop([...prefix, KBTOP, ...args], { ...options, command });
}
