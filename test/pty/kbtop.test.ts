/** The product itself on a real terminal: bin/kbtop with its probes, as an operator starts it. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../ui/terminal/screen.ts';
import { Pty, plainEnv } from './pty.ts';

const bin = fileURLToPath(new URL('../../bin/kbtop', import.meta.url));
const possible = process.getuid?.() === 0 && existsSync('/sys/kernel/btf/vmlinux') && existsSync(fileURLToPath(new URL('../../dist/kbtop.mjs', import.meta.url)));

const running: Pty[] = [];
afterEach(async () => {
  for (const pty of running.splice(0)) await pty.kill();
});

function start(args: readonly string[] = [], file = bin, cwd?: string): Pty {
  const pty = new Pty(file, args, { columns: 160, rows: 45, env: plainEnv(), ...(cwd !== undefined && { cwd }) });
  running.push(pty);
  return pty;
}

/** Ids of the programs that a process holds, by its own descriptors; links do not tell theirs on every kernel. */
function programsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) => {
    const id = /^prog_id:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
    return id === undefined ? [] : [Number(id)];
  });
}

/** Ids of all programs in the kernel. */
function loaded(): Set<number> {
  const programs = JSON.parse(execFileSync('bpftool', ['-j', 'prog', 'show'], { encoding: 'utf8' })) as { id: number }[];
  return new Set(programs.map((program) => program.id));
}

describe.skipIf(!possible)('bin/kbtop (root, BTF)', () => {
  it('shows this node live, with every probe up', async () => {
    const pty = start();
    await pty.shows(/6\/6 probes/);
    await pty.shows(/SYSCALL[\s\S]*CONTAINER[\s\S]*(host|service)/);
    const clock = /\d\d:\d\d:\d\d/.exec(pty.emulator.lines()[0] ?? '')?.[0];
    await until(async () => /\d\d:\d\d:\d\d/.exec((await pty.text()).split('\n')[0] ?? '')?.[0] !== clock, () => 'the clock stands still');
    pty.write('q');
    expect(await pty.ended()).toBe(0);
    expect(pty.emulator.alternate).toBe(false);
  });

  it('shows what really happens: a program\'s own calls and opens', async () => {
    const pty = start();
    await pty.shows(/6\/6 probes/);
    const path = join(mkdtempSync(join(tmpdir(), 'kbtop-seen-')), 'opened-by-the-test');
    // getpriority is a call that hardly anybody else makes.
    const noisy = spawn(process.execPath, ['-e', `setInterval(() => {
      os.getPriority();
      try { fs.openSync(${JSON.stringify(path)}); } catch {}
    }, 20)`]);
    try {
      pty.write('/getpriority\r');
      await pty.shows(/getpriority +\d/);
      pty.write('3z/opened-by-the-test\r');
      await pty.shows(/ENOENT.*opened-by-the-test/);
    } finally {
      noisy.kill('SIGKILL');
    }
    pty.write('\x03');
    expect(await pty.ended()).toBe(130);
  });

  it('changes the level and the interval while it runs', async () => {
    const pty = start();
    await pty.shows(/6\/6 probes/);
    await pty.shows(/1 syscalls/);
    pty.write('-');
    await pty.shows('every 0.5s');
    // Until it counts only: the level it starts from may have fallen by itself.
    for (let i = 0; i < 4 && !/1 syscalls[^\n]* count /.test(await pty.text()); i++) {
      pty.write('L');
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    expect(await pty.text()).toMatch(/1 syscalls[^\n]* count /);
    pty.write('q');
    expect(await pty.ended()).toBe(0);
  });

  it('saves the Frame on screen as the JSON of the contract', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'kbtop-cwd-'));
    const pty = start([], bin, cwd);
    await pty.shows(/6\/6 probes/);
    pty.write('w');
    await pty.shows(/saved kbtop-.*\.json/);
    const [name = ''] = readdirSync(cwd);
    expect(JSON.parse(readFileSync(join(cwd, name), 'utf8'))).toMatchObject({ schema: 'kbtop.frame/1', panes: { syscalls: { state: { status: 'ok' } } } });
  });

  it('goes back in time while it measures, and is live again', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'kbtop-past-'));
    const pty = start([], bin, cwd);
    await pty.shows(/6\/6 probes/);
    const clock = async (): Promise<string> => /\d\d:\d\d:\d\d/.exec((await pty.text()).split('\n')[0] ?? '')?.[0] ?? '';
    const before = await clock();
    await until(async () => (await clock()) !== before, () => 'the clock stands still');
    pty.write('p');
    await pty.shows(/PAUSED/);
    const place = async (): Promise<readonly number[]> => (/(\d+)\/(\d+) +PAUSED/.exec(await pty.text()) ?? []).slice(1).map(Number);
    const [at = 0] = await place();
    // Measuring goes on: there is ever more after what is shown.
    await until(async () => ((await place())[1] ?? 0) >= at + 2, () => `no Frames came meanwhile:\n${pty.emulator.text()}`);
    expect((await place())[0]).toBe(at);
    pty.write('[');
    await until(async () => (await place())[0] === at - 1, () => pty.emulator.text());
    pty.write('^');
    await until(async () => (await place())[0] === 1, () => pty.emulator.text());
    pty.write('W');
    await pty.shows(/saved kbtop-.*\.kbtop/);
    expect(readdirSync(cwd)).toHaveLength(1);
    pty.write('$');
    await until(async () => !(await pty.text()).includes('PAUSED'), () => pty.emulator.text());
    const live = await clock();
    await until(async () => (await clock()) !== live, () => 'the clock stands still after the past');
    pty.write('q');
    expect(await pty.ended()).toBe(0);
    // What was kept is a recording.
    const replay = new Pty(bin, ['replay', join(cwd, readdirSync(cwd)[0] ?? ''), '--paused'], { columns: 160, rows: 45, env: plainEnv() });
    running.push(replay);
    await replay.shows(/REPLAY[\s\S]* 1\/\d+ +PAUSED/);
    replay.write('q');
    expect(await replay.ended()).toBe(0);
  });

  it('works through a symlink, and leaves nothing in the kernel on SIGTERM and when its terminal is closed', async () => {
    const link = join(mkdtempSync(join(tmpdir(), 'kbtop-link-')), 'kbtop');
    symlinkSync(bin, link);
    for (const end of [(pty: Pty) => pty.signal('SIGTERM'), (pty: Pty) => pty.hangUp()]) {
      const pty = start([], link);
      await pty.shows(/6\/6 probes/);
      const ids = programsOf(pty.pid);
      expect(ids.length).toBeGreaterThan(5);
      expect(ids.some((id) => loaded().has(id))).toBe(true);
      end(pty);
      await until(() => {
        const now = loaded();
        return !ids.some((id) => now.has(id));
      }, () => `programs ${ids.join(' ')} are still there`);
    }
  });
});
