import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCommand, isStatic, missing, needs } from '../../tools/lib/needs.mjs';
import { ADDON, Checkout } from './checkout.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
const complete = missing(needs()).length === 0;

let checkout: Checkout;
beforeEach(() => {
  checkout = new Checkout();
});
afterEach(() => checkout.remove());

/** Builders that ran since the last call, sorted. */
function builds(): string[] {
  if (!existsSync(checkout.log)) return [];
  const lines = readFileSync(checkout.log, 'utf8').trim().split('\n').sort();
  rmSync(checkout.log);
  return lines;
}

const dist = (...path: string[]): string => join(checkout.root, 'dist', ...path);

describe.skipIf(!complete)('setup', () => {
  it('builds everything once, says so on stderr only, and then does and says nothing', () => {
    const first = checkout.setup();
    expect(first).toMatchObject({ code: 0, stdout: '' });
    for (const part of ['BPF objects', 'addon', 'bundle']) expect(first.stderr).toMatch(new RegExp(`built ${part} \\(\\d+\\.\\d s\\)`));
    expect(builds()).toEqual(['bpf', 'bundle', 'native']);
    expect(existsSync(dist('bpf/one.bpf.o')) && existsSync(dist('kbtop.node')) && existsSync(dist('kbtop.mjs'))).toBe(true);

    expect(checkout.setup()).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(builds()).toEqual([]);
  });

  it.each([
    ['bpf/one.bpf.c', ['bpf']],
    ['bpf/deep/new.h', ['bpf']],
    ['native/addon.cc', ['native']],
    ['src/cli/main.ts', ['bundle']],
    ['src/new/file.tsx', ['bundle']],
    ['package.json', ['bundle']],
  ])('rebuilds only what %s goes into', (file, expected) => {
    checkout.setup();
    builds();
    checkout.write(file, '{"version":"9.9.9"}');
    expect(checkout.setup().code).toBe(0);
    expect(builds()).toEqual(expected);
    expect(checkout.setup().stderr).toBe('');
  });

  it('takes a touched but unchanged input for unchanged', () => {
    checkout.setup();
    builds();
    utimesSync(join(checkout.root, 'src/cli/main.ts'), new Date(), new Date());
    expect(checkout.setup().stderr).toBe('');
    expect(builds()).toEqual([]);
  });

  it('rebuilds for other compiler flags', () => {
    checkout.setup();
    builds();
    expect(checkout.setup([], { env: { KBTOP_CXXFLAGS: '-O0' } }).code).toBe(0);
    expect(builds()).toEqual(['native']);
  });

  it('rebuilds an output that was removed or damaged', () => {
    checkout.setup();
    builds();
    rmSync(dist('kbtop.mjs'));
    truncateSync(dist('bpf/one.bpf.o'));
    expect(checkout.setup().code).toBe(0);
    expect(builds()).toEqual(['bpf', 'bundle']);
    expect(readFileSync(dist('bpf/one.bpf.o'), 'utf8')).toBe('one');
  });

  it('drops outputs of sources that are gone, but keeps the last bundle for those who run it', () => {
    checkout.write('bpf/two.bpf.c', 'two');
    checkout.setup();
    rmSync(join(checkout.root, 'bpf/two.bpf.c'));
    for (const content of ['second', 'third']) {
      checkout.write('src/cli/main.ts', content);
      checkout.setup();
    }
    expect(readdirSync(dist('bpf'))).toEqual(['one.bpf.o']);
    expect(readdirSync(dist()).filter((name) => name.includes('chunk')).sort()).toEqual(['kbtop-chunk-second.mjs', 'kbtop-chunk-third.mjs']);
  });

  it('reports a failed build with its output, keeps the old result and tries again next time', () => {
    checkout.setup();
    builds();
    checkout.script('bpf/build.sh', 'echo one.bpf.c:7: error: no such member; exit 1');
    const failed = checkout.setup();
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('building the BPF objects failed (bpf/build.sh: code 1)');
    expect(failed.stderr).toContain('one.bpf.c:7: error: no such member');
    expect(failed.stderr).not.toContain('at ');
    expect(readFileSync(dist('bpf/one.bpf.o'), 'utf8')).toBe('one');
    expect(checkout.setup().code).toBe(1);
  });

  it('does not put an addon in place that Node cannot load', () => {
    checkout.script('native/build.sh', ADDON.replace('{ return', '{ extern int nowhere(void); nowhere(); return'));
    const { code, stderr } = checkout.setup();
    expect(code).toBe(1);
    expect(stderr).toContain('the addon was built, but does not load');
    expect(stderr).toContain('undefined symbol: nowhere');
    expect(existsSync(dist('kbtop.node'))).toBe(false);
  });

  it('lets only one of several set-ups at the same time do the work', async () => {
    checkout.script('native/build.sh', `echo native >> "$LOG"; sleep 1; ${ADDON}`);
    const running = Array.from({ length: 4 }, () => spawn(process.execPath, [join(checkout.root, 'tools/setup.mjs')], { env: checkout.environment, stdio: 'ignore' }));
    const codes = await Promise.all(running.map(async (child) => ((await once(child, 'exit')) as [number])[0]));
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(builds()).toEqual(['bpf', 'bundle', 'native']);
    expect(checkout.setup().stderr).toBe('');
  });

  it('is not held up by a set-up that was killed', async () => {
    checkout.script('native/build.sh', 'exec sleep 60');
    const victim = spawn(process.execPath, [join(checkout.root, 'tools/setup.mjs')], { env: checkout.environment, stdio: ['ignore', 'ignore', 'pipe'] });
    await once(victim.stderr, 'data');
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    checkout.script('native/build.sh', ADDON);
    expect(checkout.setup().code).toBe(0);
  });

  it('runs npm ci when the lock file asks for something else, and only then', () => {
    checkout.script('path/npm', 'echo "npm $*" >> "$LOG"; cp package-lock.json node_modules/.package-lock.json');
    const env = { PATH: `${join(checkout.root, 'path')}:${process.env['PATH']}`, npm_execpath: '', npm_node_execpath: '' };
    expect(checkout.setup([], { env }).code).toBe(0);
    expect(builds().filter((line) => line.startsWith('npm'))).toEqual([]);
    checkout.write('package-lock.json', JSON.stringify({ packages: { '': {}, 'node_modules/thing': { version: '2.0.0', integrity: 'sha512-b' } } }));
    expect(checkout.setup([], { env }).code).toBe(0);
    expect(builds().filter((line) => line.startsWith('npm'))).toEqual([expect.stringMatching(/^npm ci --loglevel=error .*--ignore-scripts/)]);
    expect(existsSync(join(checkout.root, 'node_modules/.bin/node'))).toBe(true);
    expect(checkout.setup([], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('runs npm with the shipped Node when the machine\'s made npm leave out a binary for this platform', () => {
    const lock = { packages: { '': {}, 'node_modules/binary': { version: '1.0.0', optional: true, os: ['linux'], cpu: process.arch }, 'node_modules/other': { version: '1.0.0', optional: true, os: '!linux' } } };
    const installed = { packages: { 'node_modules/binary': lock.packages['node_modules/binary'] } };
    checkout.write('package-lock.json', JSON.stringify(lock));
    checkout.write('installed.json', JSON.stringify(installed));
    checkout.script(
      'path/npm',
      `node=$(command -v node || true); echo "npm with $node" >> "$LOG"
       case $node in */kbtop-node-*) cp installed.json node_modules/.package-lock.json;; *) echo '{"packages":{}}' > node_modules/.package-lock.json;; esac`,
    );
    const env = { PATH: `${join(checkout.root, 'path')}:${process.env['PATH']}`, npm_execpath: '' };
    const { code, stderr } = checkout.setup([], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('npm ci once more') });
    expect(builds().filter((line) => line.startsWith('npm'))).toHaveLength(2);
    expect(checkout.setup([], { env }).stderr).toBe('');
  });

  it("passes npm's own words on when npm ci fails", () => {
    checkout.script('path/npm', 'echo "npm error code ENOTFOUND"; exit 1');
    const env = { PATH: `${join(checkout.root, 'path')}:${process.env['PATH']}`, npm_execpath: '' };
    rmSync(join(checkout.root, 'node_modules/.package-lock.json'));
    const { code, stderr } = checkout.setup([], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('npm ci failed (code 1); check network, proxy and registry settings');
    expect(stderr).toContain('ENOTFOUND');
  });

  it.skipIf(!isRoot)("leaves a checkout's owner in charge of what root built there", () => {
    chownSync(checkout.root, NOBODY, NOBODY);
    expect(checkout.setup().code).toBe(0);
    for (const path of ['.', 'kbtop.node', 'bpf/one.bpf.o', '.stamps/bpf.json', '.lock']) expect([path, statSync(dist(path)).uid]).toEqual([path, NOBODY]);
    checkout.write('src/cli/main.ts', 'changed');
    writeFileSync(checkout.log, '', { mode: 0o666 });
    chownSync(checkout.log, NOBODY, NOBODY);
    expect(checkout.setup([], { uid: NOBODY })).toMatchObject({ code: 0 });
    expect(builds()).toEqual(['bundle']);
  });

  it.skipIf(!isRoot)('says when npm has dropped the privilege that sudo gave', () => {
    chownSync(checkout.root, NOBODY, NOBODY);
    checkout.setup();
    const { code, stderr } = checkout.setup([], { uid: NOBODY, env: { SUDO_UID: '1000' } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^setup: npm runs scripts as the owner .*: sudo bin\/kbtop\n$/) });
  });

  it.skipIf(!isRoot)("says in one line when it may not write somebody else's checkout", () => {
    const { code, stderr } = checkout.setup([], { uid: NOBODY });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^setup: no permission for .*dist.* \(EACCES\): .*as root\n$/);
  });
});

describe('missing system packages', () => {
  /** A PATH with everything that set-up needs, except clang. */
  function pathWithoutClang(more: readonly string[] = []): string {
    const dir = join(checkout.root, 'path');
    mkdirSync(dir);
    for (const name of ['sh', 'flock', 'cat', 'cp', 'mkdir', 'basename', 'gcc', 'as', 'ld', 'g++', 'llvm-strip', 'apt-get', ...more]) {
      const found = findCommand(name);
      if (found !== null) symlinkSync(found, join(dir, name));
    }
    return dir;
  }

  it.skipIf(!existsSync('/etc/debian_version'))('names what is missing and the one command to run, and stops, when not root', () => {
    const { code, stdout, stderr } = checkout.setup([], { env: { PATH: pathWithoutClang() }, ...(isRoot ? { uid: NOBODY } : {}) });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^setup: missing: clang/);
    expect(stderr).toMatch(/sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends .*\bclang\b.*'/);
    expect(builds()).toEqual([]);
  });

  it.skipIf(!isRoot || !existsSync('/etc/debian_version'))('installs with apt-get as root, after an update, and goes on', () => {
    const dir = pathWithoutClang();
    rmSync(join(dir, 'apt-get'), { force: true });
    checkout.script('path/apt-get', 'echo "apt-get $*" >> "$LOG"; case "$*" in *install*clang*) printf "#!/bin/sh\\n" > "${0%/*}/clang"; /bin/chmod +x "${0%/*}/clang";; esac');
    const { code, stderr } = checkout.setup([], { env: { PATH: dir } });
    expect(stderr).toContain('setup: missing: clang');
    expect(stderr).toContain('setup: apt-get update');
    expect(stderr).toContain('setup: apt-get install clang');
    expect(code).toBe(0);
    const apt = builds().filter((line) => line.startsWith('apt-get'));
    expect(apt).toHaveLength(2);
    expect(apt[0]).toMatch(/install -y --no-install-recommends clang$/);
    expect(apt[1]).toMatch(/update$/);
  });

  it.skipIf(!isRoot || !existsSync('/etc/debian_version') || missing(needs({ test: true })).length > 0)('leaves no daemon behind that only tests use', () => {
    const hadPolicy = existsSync('/usr/sbin/policy-rc.d');
    const dir = pathWithoutClang(['clang', 'tmux', 'strace', 'sudo', 'bpftool', 'ip', 'runc', 'prometheus', 'buildah']);
    rmSync(join(dir, 'apt-get'), { force: true });
    checkout.script('path/apt-get', 'case "$*" in *install*containerd*) [ -e /usr/sbin/policy-rc.d ] && echo "policy" >> "$LOG"; printf "#!/bin/sh\\n" > "${0%/*}/containerd"; /bin/chmod +x "${0%/*}/containerd";; esac');
    checkout.script('path/systemctl', 'echo "systemctl $*" >> "$LOG"');
    const { code, stderr } = checkout.setup(['--test'], { env: { PATH: dir } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('setup: stopped and disabled containerd.service') as string });
    const done = builds();
    expect(done.filter((line) => line.startsWith('systemctl'))).toEqual(['systemctl disable --now containerd.service']);
    // Nor does one run for a moment.
    expect(done).toContain('policy');
    expect(existsSync('/usr/sbin/policy-rc.d')).toBe(hadPolicy);
  });

  it.skipIf(!isRoot || !existsSync('/etc/debian_version'))('stops when apt-get could not help', () => {
    const dir = pathWithoutClang();
    rmSync(join(dir, 'apt-get'), { force: true });
    checkout.script('path/apt-get', 'case "$*" in *install*) exit 100;; esac');
    const { code, stderr } = checkout.setup([], { env: { PATH: dir } });
    expect(code).toBe(1);
    expect(stderr).toContain('apt-get install failed (code 100)');
  });

  it.skipIf(!isRoot || !existsSync('/etc/debian_version'))('goes on without VMs when apt-get cannot help, and says so', () => {
    const dir = pathWithoutClang();
    rmSync(join(dir, 'apt-get'), { force: true });
    checkout.script('path/clang', '');
    checkout.script('path/apt-get', 'case "$*" in *install*) exit 100;; esac');
    const { code, stderr } = checkout.setup(['--vm'], { env: { PATH: dir } });
    expect(stderr).toMatch(/^setup: missing: qemu-system-x86_64/);
    expect(stderr).toContain('setup: no VMs: apt-get install failed (code 100)');
    expect(code).toBe(0);
    expect(builds()).toEqual(['bpf', 'bundle', 'native']);
  });

  it('rejects options it does not know', () => {
    expect(checkout.setup(['--tset'])).toEqual({ code: 1, stdout: '', stderr: 'setup: unknown option --tset; usage: node tools/setup.mjs [--test] [--bench] [--vm]\n' });
  });
});

describe('a static program', () => {
  const program = (name: string, ...flags: string[]): string => {
    const path = join(checkout.root, name);
    execFileSync('gcc', [...flags, '-x', 'c', '-o', path, '-'], { input: 'int main(void) { return 0; }' });
    return path;
  };

  it('is told from one with a loader, from a script, and from nothing', () => {
    checkout.script('script', 'exit 0');
    expect(['static', 'dynamic', 'script', 'nowhere'].map((name) => {
      if (name === 'static') program(name, '-static');
      if (name === 'dynamic') program(name);
      return isStatic(join(checkout.root, name));
    })).toEqual([true, false, false, false]);
  });
});
