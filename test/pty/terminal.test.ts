/** The screen on a real terminal: what it does to it, and that every way out leaves it as it was. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../ui/terminal/screen.ts';
import type { PtyOptions } from './pty.ts';
import { Pty, bundled, plainEnv } from './pty.ts';

let program = '';
beforeAll(async () => { program = await bundled('fake.ts'); });

const running: Pty[] = [];
afterEach(async () => {
  for (const pty of running.splice(0)) await pty.kill();
});

function open(file: string, args: readonly string[], options: PtyOptions = {}): Pty {
  const pty = new Pty(file, args, options);
  running.push(pty);
  return pty;
}

const start = (env: Readonly<Record<string, string>> = {}, options: PtyOptions = {}) => open(process.execPath, [program], { ...options, env: plainEnv(env) });

/** Run from a shell that notes the terminal's modes before and after, and says the exit code. */
function fromShell(env: Readonly<Record<string, string>> = {}): { readonly pty: Pty; readonly modes: () => readonly [before: string, after: string] } {
  const directory = mkdtempSync(join(tmpdir(), 'kbtop-modes-'));
  const before = join(directory, 'before'), after = join(directory, 'after');
  const pty = open('/bin/sh', ['-c', `stty -a > ${before}; echo what stood here before; trap : TERM INT HUP; "$0" "$1"; code=$?; stty -a > ${after}; echo "exit code $code."; read wait`, process.execPath, program], { env: plainEnv(env) });
  return { pty, modes: () => [readFileSync(before, 'utf8'), readFileSync(after, 'utf8')] };
}

/** Pid of the program below the shell. */
async function childOf(pty: Pty): Promise<number> {
  return until(() => Number(readFileSync(`/proc/${pty.pid}/task/${pty.pid}/children`, 'utf8').trim().split(' ')[0]) || 0, () => 'no child');
}

async function expectRestored({ pty, modes }: ReturnType<typeof fromShell>, code: number): Promise<void> {
  await pty.shows(`exit code ${code}.`);
  const { emulator } = pty;
  expect(emulator.alternate).toBe(false);
  expect(emulator.cursorHidden).toBe(false);
  expect(emulator.modes.bracketedPaste).toBe(false);
  expect(emulator.text()).toContain('what stood here before');
  const [before, after] = modes();
  expect(after).toBe(before);
}

describe('on a real terminal', () => {
  it('fills it, takes keys, and follows its size', async () => {
    const pty = start({}, { columns: 160, rows: 45 });
    await pty.shows(/worker-1[\s\S]*5 containers[\s\S]*q Quit/);
    expect(pty.emulator.alternate).toBe(true);
    expect(pty.emulator.cursorHidden).toBe(true);
    pty.write('\x1bOQ');
    pty.write('5z');
    await pty.shows('z Unzoom');
    pty.write('/kube-proxy\r');
    await pty.shows(/\d+\/\d+ by CPU%/);
    for (const [columns, rows] of [[80, 24], [100, 30], [60, 15], [250, 70]] as const) {
      pty.resize(columns, rows);
      await until(async () => {
        await pty.text();
        const lines = pty.emulator.lines();
        return lines.at(-1)?.startsWith(' q Quit') && lines.at(-2)?.length === columns && lines.filter((line) => line.includes('q Quit')).length === 1;
      }, () => `a screen of ${columns}x${rows}:\n${pty.emulator.text()}`);
    }
    pty.write('q');
    expect(await pty.ended()).toBe(0);
  });

  it('draws without colour where NO_COLOR says so, and in ASCII where the locale does', async () => {
    const pty = start({ NO_COLOR: '1', LANG: 'C' }, { columns: 80, rows: 24 });
    await pty.shows('worker-1');
    await pty.shows(/#= 1 syscalls =+/);
    expect(pty.emulator.text()).toMatch(/^[ -~\n]*$/);
    expect(pty.emulator.written).not.toMatch(/\x1b\[(\d+;)*[349]\d(;\d+)*m/);
  });

  it('uses colours elsewhere', async () => {
    const pty = start({}, { columns: 80, rows: 24 });
    await pty.shows('worker-1');
    expect(pty.emulator.written).toMatch(/\x1b\[36m/);
  });

  it('works inside tmux\'s idea of a terminal and on one that tells no size', async () => {
    const pty = open('/bin/sh', ['-c', 'stty rows 0 cols 0; "$0" "$1"', process.execPath, program], { columns: 80, rows: 24, env: plainEnv({ TERM: 'screen' }) });
    await pty.shows(/5 containers[\s\S]*q Quit/);
    expect(pty.emulator.lines()[1]).toHaveLength(80);
  });
});

describe('every way out', () => {
  it.each([['q', 'q', 0], ['F10', '\x1b[21~', 0], ['Ctrl-C', '\x03', 130]])('%s', async (_name, key, code) => {
    const shell = fromShell();
    await shell.pty.shows('q Quit');
    shell.pty.write(key);
    await expectRestored(shell, code);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)('%s', async (signal) => {
    const shell = fromShell();
    await shell.pty.shows('q Quit');
    shell.pty.signal(signal, await childOf(shell.pty));
    await expectRestored(shell, 130);
  });

  it.each([['throw', 'kbtop: thrown in a timer'], ['reject', 'kbtop: rejected and forgotten'], ['frame', 'kbtop: '], ['source', 'kbtop: the source has failed']])('a crash (%s), told after the screen is gone', async (misfortune, message) => {
    const shell = fromShell({ FAKE_MISFORTUNE: misfortune });
    await shell.pty.shows('q Quit');
    await expectRestored(shell, 1);
    expect(shell.pty.emulator.text()).toContain(message);
  });

  it('process.exit() behind its back', async () => {
    const shell = fromShell({ FAKE_MISFORTUNE: 'exit' });
    await shell.pty.shows('q Quit');
    await expectRestored(shell, 7);
  });

  it('a terminal that is closed: it does not stay behind', async () => {
    const pty = start();
    await pty.shows('q Quit');
    const { pid } = pty;
    pty.hangUp();
    await until(() => {
      try {
        process.kill(pid, 0);
        // A zombie has ended, too: nobody has asked for its code.
        return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      } catch {
        return true;
      }
    }, () => `pid ${pid} is still there`);
  });
});

describe('stray output', () => {
  it('does not tear the screen; it comes when the screen is gone', async () => {
    const shell = fromShell({ FAKE_MISFORTUNE: 'stray' });
    await shell.pty.shows('q Quit');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await shell.pty.text()).not.toContain('stray');
    expect(shell.pty.emulator.lines()[0]).toContain('worker-1');
    shell.pty.write('q');
    await expectRestored(shell, 0);
    for (const line of ['a stray line on stdout', 'a stray line on stderr', 'a stray warning']) expect(shell.pty.emulator.text()).toContain(line);
  });
});

describe('Ctrl-Z', () => {
  it('goes back to the shell and `fg` returns, with the terminal right both times', async () => {
    const pty = open('/bin/bash', ['--norc', '--noprofile', '-i'], { env: plainEnv({ PS1: 'prompt> ' }) });
    await pty.shows('prompt>');
    pty.write(`${process.execPath} ${program}\r`);
    await pty.shows('q Quit');
    pty.write('5\x1a');
    await pty.shows(/Stopped/);
    expect(pty.emulator.alternate).toBe(false);
    expect(pty.emulator.cursorHidden).toBe(false);
    pty.write('echo typed $((6*7))\r');
    await pty.shows('typed 42');
    pty.write('fg\r');
    await pty.shows(/worker-1[\s\S]*q Quit/);
    expect(pty.emulator.alternate).toBe(true);
    expect(pty.emulator.cursorHidden).toBe(true);
    pty.write('z');
    await pty.shows('z Unzoom');
    pty.write('q');
    await pty.shows(/prompt> $/m);
    expect(pty.emulator.alternate).toBe(false);
    pty.write('exit 3\r');
    expect(await pty.ended()).toBe(3);
  });

  it('does not hang where no shell could ever continue it, as under kubectl exec', async () => {
    const pty = start();
    await pty.shows('q Quit');
    pty.write('\x1a');
    // The kernel does not stop an orphaned process group: the screen comes straight back.
    await pty.shows(/worker-1[\s\S]*q Quit/);
    pty.write('z');
    await pty.shows('z Unzoom');
    pty.write('q');
    expect(await pty.ended()).toBe(0);
  });
});

describe('without a terminal', () => {
  it.each(['< /dev/null', '| cat'])('%s: one clear line and exit code 2', async (redirect) => {
    const script = redirect === '| cat' ? '("$0" "$1"; echo "exit code $?.") | cat' : `"$0" "$1" ${redirect}; echo "exit code $?."`;
    const pty = open('/bin/sh', ['-c', script, process.execPath, program], { columns: 200 });
    await pty.shows('exit code 2.');
    expect(pty.emulator.text()).toMatch(/^kbtop: the screen needs a terminal.*kbtop snapshot/m);
    expect(pty.emulator.written).not.toContain('\x1b[?1049h');
  });
});
