/** Where images and packages are kept: outside the checkout, for all checkouts of this user. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { lock } from '../../../tools/lib/lock.mjs';

/** By the XDG rules: a relative XDG_CACHE_HOME counts as unset. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'kbtop', 'vm');
}

/**
 * A directory of the cache, filled once: `fill` works in a directory beside it, which takes its place when whole. Whoever wants
 * the same meanwhile waits for it.
 */
export async function cached(directory: string, fill: (staging: string) => Promise<void>): Promise<string> {
  if (existsSync(directory)) return directory;
  mkdirSync(dirname(directory), { recursive: true });
  const release = await lock(`${directory}.lock`);
  const staging = `${directory}.part`;
  try {
    if (existsSync(directory)) return directory;
    // Of one that was ended.
    rmSync(staging, { recursive: true, force: true });
    mkdirSync(staging);
    await fill(staging);
    renameSync(staging, directory);
    return directory;
  } finally {
    rmSync(staging, { recursive: true, force: true });
    release();
  }
}
