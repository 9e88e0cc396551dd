/** The files of another Debian release than this machine's, as debootstrap unpacks them; kept in .cache/ of the checkout. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand } from '../../tools/lib/needs.mjs';

const CACHE = join(import.meta.dirname, '../../.cache');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const TAKES_AT_MOST_MS = 300_000;

/** From where this machine takes its own packages. */
function mirror(): string[] {
  try {
    const [first] = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n');
    return first ? [first] : [];
  } catch {
    return [];
  }
}

/** Its root directory, or why it cannot be had. */
export function otherDebian(): { readonly root: string; readonly suite: string } | { readonly why: string } {
  if (process.getuid?.() !== 0) return { why: 'debootstrap needs root' };
  if (findCommand('debootstrap') === null || !existsSync(KEYRING)) return { why: 'debootstrap or the keys of Debian are not installed' };
  const own = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const suite = own === 'trixie' ? 'bookworm' : 'trixie';
  const root = join(CACHE, `debian-${suite}`);
  if (existsSync(root)) return { root, suite };
  const draft = `${root}.${process.pid}`;
  mkdirSync(CACHE, { recursive: true });
  // Unpacked is enough: nothing of it is configured, as nothing of it is used but its libraries.
  const { status, stdout, stderr } = spawnSync('debootstrap', ['--foreign', '--variant=minbase', `--keyring=${KEYRING}`, suite, draft, ...mirror()], { encoding: 'utf8', timeout: TAKES_AT_MOST_MS });
  if (status === 0) {
    // What is mounted later needs a place; in a container debootstrap links /proc instead.
    for (const place of ['opt', 'proc', 'sys']) {
      rmSync(join(draft, place), { recursive: true, force: true });
      mkdirSync(join(draft, place));
    }
    renameSync(draft, root);
    return { root, suite };
  }
  rmSync(draft, { recursive: true, force: true });
  return { why: `debootstrap of ${suite} failed: ${`${stdout}${stderr}`.trim().split('\n').at(-1) ?? ''}` };
}
