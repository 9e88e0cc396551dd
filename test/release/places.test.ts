/** The release where it has nothing but itself: other distributions, empty roots, strange mounts, no environment. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../src/frame/frame.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { onlyLine, type Ended } from '../cli/e2e/kbtop.ts';
import { TestCgroup, canLoadBpf, end, hierarchies, ownPath, runIn as runInCgroup } from '../workloads/cgroup.ts';
import { otherDebian } from './debian.ts';
import { KERNEL, NAME, Unpacked, canMount, makeRelease, runIn, unavailable } from './release.ts';

const why = unavailable() ?? (canMount ? null : 'needs root');
const debian = why === null ? otherDebian() : { why };
const works = canLoadBpf && hierarchies.mounts(0).length > 0;
const VERSION = { code: 0, stdout: `${NAME.split('-')[1]}\n`, stderr: '' };
const SNAPSHOT = ['snapshot', '--duration', '500ms', '-o', 'json'];

/** A whole Frame, every pane measured. */
function expectFrame({ code, stdout, stderr }: Ended): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { panes } = JSON.parse(stdout) as Frame;
  expect(Object.fromEntries(PANE_IDS.map((id) => [id, panes[id].state.status]))).toEqual(Object.fromEntries(PANE_IDS.map((id) => [id, 'ok'])));
  expect(panes.syscalls.rows.length).toBeGreaterThan(0);
}

describe.skipIf(why !== null)(`a release${why === null ? '' : ` (${why})`}`, () => {
  let release: Unpacked;
  /** A root directory with nothing but the tree in it, at /opt. */
  let empty: Unpacked;
  const INSIDE = `/opt/${NAME}/bin/kbtop`;
  beforeAll(() => {
    makeRelease();
    release = new Unpacked();
    empty = new Unpacked('opt');
  });
  afterAll(() => {
    for (const one of [release, empty]) one[Symbol.dispose]();
  });

  describe('on this machine', () => {
    it('runs without an environment', async () => expect(await runIn([release.kbtop, '--version'])).toMatchObject(VERSION));

    it('runs with an empty PATH, from anywhere', async () => {
      expect(await runIn(['bin/kbtop', '--version'], { env: { PATH: '' }, cwd: release.tree })).toMatchObject(VERSION);
      expect(await runIn(['./kbtop', '--version'], { env: { PATH: '' }, cwd: join(release.tree, 'bin') })).toMatchObject(VERSION);
    });

    it('runs through links to it, and to its directory, and when found through PATH', async () => {
      const links = mkdtempSync(join(tmpdir(), 'kbtop-links-'));
      symlinkSync(release.kbtop, join(links, 'one'));
      symlinkSync('one', join(links, 'two'));
      symlinkSync(join(release.tree, 'bin'), join(links, 'programs'));
      try {
        for (const name of ['one', 'two', 'programs/kbtop']) expect(await runIn([join(links, name), '--version']), name).toMatchObject(VERSION);
        expect(await runIn(['./two', '--version'], { cwd: links })).toMatchObject(VERSION);
        expect(await runIn(['/bin/sh', '-c', 'kbtop --version'], { env: { PATH: join(links, 'programs') } })).toMatchObject(VERSION);
      } finally {
        rmSync(links, { recursive: true });
      }
    });

    it('has a node that starts Node with any arguments, as children of kbtop expect of process.execPath', async () => {
      expect(await runIn([join(release.tree, 'node'), '-p', '[process.arch, ...process.argv.slice(1)].join()', 'a', 'b c'])).toMatchObject({ code: 0, stdout: `${process.arch},a,b c\n`, stderr: '' });
      expect(await runIn([`./node`, '--version'], { cwd: release.tree })).toMatchObject({ code: 0, stdout: `${process.version}\n` });
    });

    it('hands arguments and exit codes on', async () => {
      const ended = await runIn([release.kbtop, 'snapshot', '--pane', 'two  words']);
      expect(ended.code).toBe(2);
      expect(onlyLine(ended)).toContain('unknown pane "two  words"');
    });

    it('is not misled by libraries of the environment', async () => {
      expect(await runIn([release.kbtop, '--version'], { env: { LD_LIBRARY_PATH: '/nonexistent' } })).toMatchObject(VERSION);
    });

    it.skipIf(!works)('measures from a read-only file system, beside a /tmp where nothing may be executed (needs root and BTF)', async () => {
      const opt = `/opt/${NAME}`;
      const prepare = `mount -t tmpfs tmpfs /opt; mkdir '${opt}'; mount --bind '${release.tree}' '${opt}'; mount -o remount,bind,ro '${opt}'; for dir in /tmp /dev/shm; do mount -t tmpfs -o noexec tmpfs $dir; done`;
      expectFrame(await runIn([`${opt}/bin/kbtop`, ...SNAPSHOT], { prepare }));
    });

    it('says why when it lies where nothing may be executed', async () => {
      // The launcher itself could not start there: that line is the shell's.
      const prepare = `mount --bind '${release.tree}/lib' '${release.tree}/lib'; mount -o remount,bind,noexec '${release.tree}/lib'`;
      const ended = await runIn([release.kbtop, '--version'], { prepare });
      expect(ended.code).toBe(1);
      expect(onlyLine(ended)).toBe(`cannot start ${release.tree}/lib/${loader()}: Permission denied; is its file system mounted noexec?`);
    });

    it('says why when it is not whole', async () => {
      const bare = mkdtempSync(join(tmpdir(), 'kbtop-bare-'));
      mkdirSync(join(bare, 'bin'));
      copyFileSync(release.kbtop, join(bare, 'bin/kbtop'));
      try {
        const ended = await runIn([join(bare, 'bin/kbtop'), 'top']);
        expect(ended.code).toBe(1);
        expect(onlyLine(ended)).toBe(`cannot start ${bare}/lib/${loader()}: No such file or directory; is the release unpacked as a whole?`);
      } finally {
        rmSync(bare, { recursive: true });
      }
    });

    it.skipIf(!works)('holds faults in a process of its own, started the same way (needs root and BTF)', async () => {
      await using group = new TestCgroup(ownPath('release'));
      const child = runInCgroup([group], 'while :; do : < /bin/sh; sleep 0.02; done');
      const directory = mkdtempSync(join(tmpdir(), 'kbtop-release-chaos-'));
      try {
        const { code, stdout, stderr } = await runIn([
          release.kbtop, 'chaos', 'run', '--audit', join(directory, 'audit.jsonl'), '--cgroup', group.path, '--syscall', 'openat', '--delay', '1ms', '--max-hits', '3', '--for', '20s', '--yes', '-o', 'ndjson',
        ], { env: { KBTOP_RUN_DIRECTORY: join(directory, 'run') } });
        expect({ code, stderr }).toMatchObject({ code: 0 });
        expect(stdout.split('\n').filter((line) => line.includes('"hit"'))).toHaveLength(3);
      } finally {
        await end(child);
        rmSync(directory, { recursive: true });
      }
    });
  });

  describe('in an empty root directory', () => {
    it('runs, without /proc, by any path', async () => {
      expect(await runIn([INSIDE, '--version'], { root: empty.directory })).toMatchObject(VERSION);
      symlinkSync(`../opt/${NAME}/bin/kbtop`, join(empty.tree, 'relative'));
      symlinkSync(INSIDE, join(empty.directory, 'kbtop'));
      symlinkSync('kbtop', join(empty.directory, 'chain'));
      symlinkSync(`opt/${NAME}/bin`, join(empty.directory, 'programs'));
      for (const path of ['/kbtop', '/chain', '/programs/kbtop', `opt/${NAME}/bin/kbtop`, `opt/../opt/./${NAME}/bin/kbtop`]) expect(await runIn([path, '--version'], { root: empty.directory }), path).toMatchObject(VERSION);
    });

    it('ends with a line where its files are not beside it', async () => {
      cpSync(empty.kbtop, join(empty.directory, 'program'));
      expect(onlyLine(await runIn(['/program', '--version'], { root: empty.directory }))).toBe(`cannot start /lib/${loader()}: No such file or directory; is the release unpacked as a whole?`);
    });

    it('says what it lacks there: /proc, then /sys', async () => {
      const ended = await runIn([INSIDE, 'snapshot'], { root: empty.directory });
      expect(ended.code).toBe(3);
      expect(onlyLine(ended)).toContain('/proc is not mounted');
      const half = await runIn([INSIDE, 'snapshot'], { root: empty.directory, prepare: 'mkdir -p "$root/proc"; mount --bind /proc "$root/proc"' });
      expect(half.code).toBe(3);
      expect(onlyLine(half)).toContain('/sys is not mounted');
      const doctor = await runIn([INSIDE, 'doctor'], { root: empty.directory });
      expect(doctor.code).toBe(3);
      expect(doctor.stdout).toMatch(/\nsyscalls pane +no +\/proc is not mounted/);
      onlyLine(doctor);
    });

    it.skipIf(!works)('measures, with /proc and /sys (needs root and BTF)', async () => expectFrame(await runIn([INSIDE, ...SNAPSHOT], { root: empty.directory, prepare: KERNEL })));
  });

  describe.skipIf('why' in debian)(`in another Debian${'why' in debian ? ` (${debian.why})` : `: ${debian.suite}`}`, () => {
    const place = { root: 'root' in debian ? debian.root : '', prepare: '' };
    /** Nothing of it is written to: the release is mounted over. */
    const put = (): string => `mount -t tmpfs tmpfs "$root/opt"; mkdir "$root/opt/${NAME}"; mount --bind '${release.tree}' "$root/opt/${NAME}"`;

    it('runs with its own libraries', async () => {
      expect(await runIn([INSIDE, '--version'], { ...place, prepare: put() })).toMatchObject(VERSION);
      const ended = await runIn([INSIDE, 'snapshot'], { ...place, prepare: put() });
      expect(ended.code).toBe(3);
      expect(onlyLine(ended)).toContain('/proc is not mounted');
    });

    it.skipIf(!works)('finds every pane working, and measures (needs root and BTF)', async () => {
      const prepare = `${put()}; ${KERNEL}`;
      const doctor = await runIn([INSIDE, 'doctor'], { ...place, prepare });
      expect({ code: doctor.code, stderr: doctor.stderr }).toEqual({ code: 0, stderr: '' });
      expect(doctor.stdout).toMatch(/\ntcp pane +yes +all \d+ programs load and attach\n/);
      expectFrame(await runIn([INSIDE, ...SNAPSHOT], { ...place, prepare }));
    });
  });
});

const loader = (): string => (process.arch === 'arm64' ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2');
