/** Where images and packages are kept: outside the checkout, for all checkouts of this user. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** By the XDG rules: a relative XDG_CACHE_HOME counts as unset. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'kbtop', 'vm');
}

/**
 * A directory of the cache, filled once: `fill` works in a directory beside it, which takes its place when whole. Of two that
 * fill it at the same time, the first one's stays.
 */
export async function cached(directory: string, fill: (staging: string) => Promise<void>): Promise<string> {
  if (existsSync(directory)) return directory;
  const staging = `${directory}.${process.pid}`;
  mkdirSync(dirname(directory), { recursive: true });
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging);
  try {
    await fill(staging);
    try {
      renameSync(staging, directory);
    } catch (error) {
      if (!existsSync(directory)) throw error;
    }
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return directory;
}
