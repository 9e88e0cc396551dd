/** The release of this checkout, made if need be and unpacked as a user would, and ways to run it in strange places. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCommand } from '../../tools/lib/needs.mjs';
import { versionOf } from '../../tools/lib/release/tree.mjs';
import type { Ended } from '../cli/e2e/kbtop.ts';

export const ROOT = join(import.meta.dirname, '../..');
export const OUT = join(ROOT, 'dist/release');
export const NAME = `kbtop-${versionOf(ROOT)}-linux-${process.arch}`;
export const TARBALL = join(OUT, `${NAME}.tar.gz`);
export const IMAGE = join(OUT, `${NAME}-oci.tar`);

/** Why none can be made here; null when it can. Licences come from Debian's packages. */
export const unavailable = (): string | null => (findCommand('dpkg-query') === null ? 'releases are made on Debian or Ubuntu' : findCommand('gcc') === null ? 'gcc is not installed' : null);

/** Make it where it is not up to date. @param env beside this process's own */
export function makeRelease(env: NodeJS.ProcessEnv = {}): void {
  execFileSync(process.execPath, [join(ROOT, 'tools/dist.mjs')], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A directory with the release unpacked; `using` takes it away. */
export class Unpacked {
  readonly directory = mkdtempSync(join(tmpdir(), 'kbtop-release-'));
  readonly tree: string;

  constructor(into = '') {
    const place = join(this.directory, into);
    execFileSync('mkdir', ['-p', place]);
    execFileSync('tar', ['--extract', `--file=${TARBALL}`, `--directory=${place}`]);
    this.tree = join(place, NAME);
    execFileSync('chmod', ['755', this.directory]);
  }

  get kbtop(): string {
    return join(this.tree, 'bin/kbtop');
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface InPlace {
  /** Shell lines before; "$root" is the directory that becomes /, if there is one. */
  readonly prepare?: string;
  /** Directory that becomes /. */
  readonly root?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Whether mounts can be made that nobody else sees. */
export const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' }).status === 0;

/** What a chroot needs to see the kernel. */
export const KERNEL = 'mkdir -p "$root/proc" "$root/sys"; mount --bind /proc "$root/proc"; mount --rbind /sys "$root/sys"';

/** Run a command with nothing in its environment, in a mount namespace of its own. */
export function runIn(argv: readonly string[], { prepare = ':', root, env = {}, cwd = '/' }: InPlace = {}): Promise<Ended> {
  const [envCommand = '', chroot = ''] = ['env', 'chroot'].map((name) => findCommand(name) ?? name);
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const command = [envCommand, '-i', ...variables, ...(root === undefined ? [] : [chroot, root]), ...argv];
  const script = `set -e; root=$1; shift; ${prepare}; exec "$@"`;
  const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', root ?? '', ...command], { stdio: ['ignore', 'pipe', 'pipe'], cwd });
  let stdout = '', stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

export const listed = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory).sort() : []);
