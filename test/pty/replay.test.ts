/** A recording on a real terminal: bin/kbtop replay, without root and BPF. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FakeNode } from '../ui/fixtures.ts';
import { until } from '../ui/terminal/screen.ts';
import { Pty, plainEnv } from './pty.ts';

const bin = fileURLToPath(new URL('../../bin/kbtop', import.meta.url));
const built = existsSync(fileURLToPath(new URL('../../dist/kbtop.mjs', import.meta.url)));
const FRAMES = 120;

const running: Pty[] = [];
afterEach(async () => {
  for (const pty of running.splice(0)) await pty.kill();
});

let file = '';
beforeAll(() => {
  const node = new FakeNode({ containers: 6, events: 4 });
  file = join(mkdtempSync(join(tmpdir(), 'kbtop-replay-')), 'frames.ndjson');
  writeFileSync(file, Array.from({ length: FRAMES }, () => `${JSON.stringify(node.next())}\n`).join(''));
});

function start(args: readonly string[], { columns = 120, rows = 40 } = {}): Pty {
  const pty = new Pty(bin, args, { columns, rows, env: plainEnv({ TZ: 'UTC' }) });
  running.push(pty);
  return pty;
}

describe.skipIf(!built)('kbtop replay (the built bin/kbtop)', () => {
  it('shows a recording, and goes through it by its keys', async () => {
    const pty = start(['replay', file, '--paused', '--at', '+30s']);
    await pty.shows(/REPLAY[\s\S]*02:00:31 .*\+30s of 1m59s .*31\/120 +PAUSED/);
    expect(pty.emulator.alternate).toBe(true);
    pty.write('[[');
    await pty.shows(/02:00:29 .*29\/120/);
    pty.write('}');
    await pty.shows('39/120');
    pty.write(')');
    await pty.shows('99/120');
    pty.write('b02:00:10\r');
    await pty.shows(/02:00:10 .*10\/120/);
    // In place of Shift with an arrow, as terminals send it.
    pty.write('\x1b[1;2C');
    await pty.shows('11/120');
    pty.write('^');
    await pty.shows(/ 1\/120 /);
    pty.write('$');
    await pty.shows(/120\/120 +PAUSED/);
    pty.write('q');
    expect(await pty.ended()).toBe(0);
    expect(pty.emulator.alternate).toBe(false);
    expect(pty.emulator.cursorHidden).toBe(false);
  });

  it('plays at the speed that is asked for, to its end, and can be held', async () => {
    const pty = start(['replay', file, '--speed', '16']);
    await pty.shows('PLAY 16x');
    pty.write('|');
    await pty.shows('PLAY 32x');
    pty.write(' ');
    await pty.shows(/PAUSED/);
    const place = /(\d+)\/120/.exec(await pty.text())?.[1];
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(/(\d+)\/120/.exec(await pty.text())?.[1]).toBe(place);
    pty.write(' ');
    await pty.shows(/32x +120\/120 +PAUSED[\s\S]*the end of frames\.ndjson/);
    pty.write('\x03');
    expect(await pty.ended()).toBe(130);
    expect(pty.emulator.alternate).toBe(false);
  });

  it('fills the terminal while it travels and its size changes', async () => {
    const pty = start(['replay', file, '--paused']);
    await pty.shows('1/120');
    for (const [columns, rows] of [[80, 24], [160, 45], [60, 15], [120, 40]] as const) {
      pty.resize(columns, rows);
      pty.write(']');
      await until(async () => {
        await pty.text();
        const lines = pty.emulator.lines();
        return lines.length === rows && lines.at(-1)?.startsWith(' q Quit') && /\d+\/120 +PAUSED/.test(lines.at(-2) ?? '') && lines.at(-3)?.length === columns;
      }, () => `a screen of ${columns}x${rows}:\n${pty.emulator.text()}`);
    }
    await pty.shows('5/120');
    pty.write('q');
    expect(await pty.ended()).toBe(0);
  });

  it('limits the screen as live, in ASCII and without colour', async () => {
    const pty = start(['replay', file, '--paused', '-n', 'shop', '--ascii', '--no-color']);
    await pty.shows(/-n shop/);
    await pty.shows(/\[?#-+ +1\/120 +PAUSED/);
    expect(pty.emulator.text()).toMatch(/^[ -~\n]*$/);
    expect(pty.emulator.text()).not.toContain('kube-system');
    expect(pty.emulator.written).not.toMatch(/\x1b\[(\d+;)*[349]\d(;\d+)*m/);
    pty.write('q');
    expect(await pty.ended()).toBe(0);
  });

  it('opens what is torn, and says so', async () => {
    const torn = join(mkdtempSync(join(tmpdir(), 'kbtop-torn-')), 'torn.ndjson');
    writeFileSync(torn, readFileSync(file).subarray(0, -500));
    const pty = start(['replay', torn, '--paused'], { columns: 200, rows: 40 });
    await pty.shows(/1\/119 +PAUSED[\s\S]*torn\.ndjson/);
    pty.write('q');
    expect(await pty.ended()).toBe(0);
  });

  it.each([
    ['what is not there', ['replay', '/nowhere/x.kbtop'], 1, /^kbtop: cannot read \/nowhere\/x\.kbtop: there is no such file/m],
    ['a time that is none', ['replay', 'FILE', '--at', 'noon'], 2, /^kbtop: --at "noon" is no time/m],
    ['a speed that is none', ['replay', 'FILE', '--speed', '3'], 2, /^kbtop: --speed "3" is none of/m],
    ['an interval', ['replay', 'FILE', '--interval', '2s'], 2, /^kbtop: --interval means nothing/m],
    ['no file', ['replay'], 2, /^kbtop: missing required argument/m],
  ] as const)('refuses %s in one line', async (_what, args, code, line) => {
    const pty = start(args.map((arg) => (arg === 'FILE' ? file : arg)), { columns: 250, rows: 40 });
    expect(await pty.ended()).toBe(code);
    expect(pty.emulator.text()).toMatch(line);
    expect(pty.emulator.written).not.toContain('\x1b[?1049h');
  });
});
