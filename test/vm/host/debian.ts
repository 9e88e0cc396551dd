/** Debian packages, taken from the registry and unpacked, never installed. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { runCommand } from './run-command.ts';

/** Something that a VM needs is not to be had here; the message is one line. */
export class NotToBeHad extends Error {}

/** It may be to be had once apt has read its lists anew. */
class StaleLists extends NotToBeHad {}

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

/** The version that apt would install. @throws NotToBeHad */
export async function candidate(name: string): Promise<DebianPackage> {
  const { code, stdout, lastLine } = await runCommand('apt-cache', ['policy', name]);
  if (code === null) throw new NotToBeHad(`no apt here to get package ${name} with (${lastLine})`);
  const version = /^ +Candidate: (\S+)$/m.exec(stdout)?.[1];
  if (version === undefined || version === '(none)') throw new StaleLists(`apt knows no package ${name}; is its list up to date (apt-get update)?`);
  return { name, version };
}

/** The newest package that a meta-package stands for, e.g. linux-image-cloud-amd64 for the kernel of the day. @throws NotToBeHad */
export async function dependency(meta: string, pattern: RegExp): Promise<DebianPackage> {
  const { stdout } = await runCommand('apt-cache', ['depends', '--no-recommends', '--no-suggests', meta]);
  const name = Array.from(stdout.matchAll(/^ +Depends: (\S+)$/gm), (match) => match[1] ?? '').find((one) => pattern.test(one));
  if (name === undefined) throw new StaleLists(`apt knows no package ${meta}; is its list up to date (apt-get update)?`);
  return await candidate(name);
}

/** Download and unpack, unless the cache has this very version. @returns the directory. @throws NotToBeHad */
export async function unpacked(cache: string, { name, version }: DebianPackage, say: (line: string) => void): Promise<string> {
  return await cached(join(cache, 'packages', `${name}_${version.replaceAll(/[^\w.+~-]/g, '_')}`), async (staging) => {
    say(`downloading ${name} ${version}`);
    const download = await runCommand('apt-get', ['download', '-q', `${name}=${version}`], { cwd: staging });
    const file = readdirSync(staging).find((one) => one.endsWith('.deb'));
    if (download.code !== 0 || file === undefined) throw new StaleLists(`cannot download package ${name} ${version}: ${download.lastLine}`);
    const unpacking = await runCommand('dpkg-deb', ['-x', file, '.'], { cwd: staging });
    if (unpacking.code !== 0) throw new NotToBeHad(`cannot unpack package ${name} ${version}: ${unpacking.lastLine}`);
    rmSync(join(staging, file));
  });
}

let refreshed: Promise<unknown> | null = null;

/** Try once more with new package lists when something is not to be had with those that are here: they may be old, or none. */
export async function withFreshLists<T>(get: () => Promise<T>, say: (line: string) => void): Promise<T> {
  try {
    return await get();
  } catch (error) {
    if (!(error instanceof StaleLists) || process.getuid?.() !== 0) throw error;
    say('apt-get update');
    await (refreshed ??= runCommand('apt-get', ['update', '-qq']));
    return await get();
  }
}
