/** The whole screen in this process, on an emulated terminal: what a person would see and press. */
import { readFileSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { UiOptions } from '../../src/ui/options.ts';
import { runUi } from '../../src/ui/run.tsx';
import { FakeNode, fakeSource } from './fixtures.ts';
import { OPTIONS, withRows } from './states.ts';
import { Keys, Screen } from './terminal/screen.ts';

const open: { keys: Keys; result: Promise<number> }[] = [];
afterEach(async () => {
  for (const { keys, result } of open.splice(0)) {
    keys.press('\x03');
    await result.catch(() => {});
  }
});

function start({ columns = 120, rows = 40, options = {} as Partial<UiOptions>, env = {} as Record<string, string>, node = new FakeNode(), screen = new Screen(columns, rows) } = {}) {
  const keys = new Keys(), source = fakeSource(node);
  const result = runUi(source, { ...OPTIONS, ...options }, { stdin: keys, stdout: screen, env: { TERM: 'xterm', ...env }, ownsProcess: false });
  // A test that looks at the failure still sees it.
  result.catch(() => {});
  open.push({ keys, result });
  return { screen, keys, source, result, node };
}

const UP = '\x1b[A', DOWN = '\x1b[B', ESC = '\x1b';

describe('the screen', () => {
  it('is there before any number, on the alternate screen, in raw mode', async () => {
    const { screen, keys } = start();
    await screen.shows(/loading \.\.\.[\s\S]*q Quit/);
    expect(screen.emulator.alternate).toBe(true);
    expect(screen.emulator.cursorHidden).toBe(true);
    expect(screen.emulator.modes.bracketedPaste).toBe(true);
    expect(keys.raw).toBe(true);
  });

  it('stands before anything that takes time begins', async () => {
    let before = '';
    const screen = new Screen(120, 40);
    const { source } = start({ screen, options: { onScreen: () => { before = screen.emulator.written; } } });
    source.emit();
    await screen.shows('nginx');
    expect(before).toContain('loading ...');
  });

  it('goes when what begins then fails', async () => {
    const { screen, result } = start({ options: { onScreen: () => { throw new Error('no BPF here'); } } });
    await expect(result).rejects.toThrow('no BPF here');
    expect(screen.emulator.alternate).toBe(false);
  });

  it('fills the terminal to its last cell', async () => {
    const { screen, source } = start({ columns: 80, rows: 24 });
    source.emit();
    await screen.shows('nginx');
    const lines = screen.emulator.lines();
    expect(lines[1]).toHaveLength(80);
    expect(lines[22]).toMatch(/^╰─+╯$/);
    expect(lines[22]).toHaveLength(80);
    expect(lines[23]).toMatch(/^ q Quit/);
  });

  it('shows each Frame', async () => {
    const { screen, source, node } = start();
    const frame = node.next();
    source.emit({ ...frame, node: { ...frame.node, name: 'first-node' } });
    await screen.shows('first-node');
    source.emit({ ...frame, node: { ...frame.node, name: 'second-node' } });
    await screen.shows('second-node');
  });

  it('does what keys say: focus, zoom, help, details, filter, sort', async () => {
    const { screen, keys, source } = start();
    source.emit();
    source.emit();
    await screen.shows('1 syscalls');
    keys.press('5', 'z');
    await screen.shows(/5 containers[\s\S]*z Unzoom/);
    expect(screen.emulator.text()).not.toContain('1 syscalls');
    keys.press(DOWN, 'd');
    await screen.shows('containers: details');
    keys.press('q');
    await screen.shows('z Unzoom');
    keys.press('/', 'etcd');
    await screen.shows('containers /etcd');
    keys.press('\r');
    await screen.shows(/\d+\/\d+ by CPU%.*\/etcd/);
    keys.press('\x1bOS', '\x15');
    await screen.shows('text  !not  rate>100');
    keys.press('\r', 's');
    await screen.shows('sort by');
    keys.press(UP, '\r');
    await screen.shows('by CONTAINER');
    keys.press('\x1bOP');
    await screen.shows('Moving');
  });

  it('tells a lone Esc from a sequence that comes in pieces', async () => {
    const { screen, keys, source } = start();
    source.emit();
    await screen.shows('1 syscalls');
    keys.press('z');
    await screen.shows('z Unzoom');
    // F1 in pieces must not be Esc, O and P.
    keys.press('\x1b');
    keys.press('OP');
    await screen.shows('Moving');
    keys.press('q');
    await screen.shows('z Unzoom');
    keys.press(ESC);
    await screen.shows('z Zoom');
  });

  it('follows the terminal when its size changes, both ways, and leaves nothing behind', async () => {
    const { screen, source } = start({ columns: 160, rows: 45 });
    source.emit();
    await screen.shows('CONTAINER');
    for (const [columns, rows] of [[80, 24], [200, 60], [79, 20], [120, 40], [250, 70], [80, 24]] as const) {
      screen.resize(columns, rows);
      source.emit();
      await screen.shows('q Quit');
      await expect.poll(() => screen.emulator.lines().at(-1)).toMatch(/^ q Quit/);
      const lines = screen.emulator.lines();
      expect(lines).toHaveLength(rows);
      expect(lines.filter((line) => line.includes('q Quit'))).toHaveLength(1);
      expect(lines.filter((line) => line.includes('lost 0'))).toHaveLength(1);
      expect(lines.at(-2)).toHaveLength(columns);
    }
  });

  it('takes a terminal without a size for 80x24 until it tells', async () => {
    const { screen, source } = start({ columns: 0, rows: 0 });
    source.emit();
    await screen.shows('5 containers');
    expect(screen.emulator.lines()[1]).toHaveLength(80);
    screen.resize(120, 40);
    await expect.poll(() => screen.emulator.lines()[1]).toHaveLength(120);
  });

  it('draws everything anew on Ctrl-L', async () => {
    const { screen, keys, source } = start();
    source.emit();
    await screen.shows('prometheus-0');
    const before = screen.emulator.text();
    await screen.emulator.write('\x1b[10;10Hsomebody wrote here\x1b[3;1Hand here');
    expect(screen.emulator.text()).not.toBe(before);
    keys.press('\x0c');
    await expect.poll(() => screen.emulator.text()).toBe(before);
  });

  it('draws fewer screens on a terminal that is slow to take them, and the newest in the end', async () => {
    const { screen, source, node } = start();
    await screen.shows('loading');
    screen.writableNeedDrain = true;
    const before = screen.emulator.written.length;
    for (let i = 0; i < 50; i++) source.emit();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(screen.emulator.written.length).toBe(before);
    const frame = node.next();
    source.emit({ ...frame, node: { ...frame.node, name: 'the-last-one' } });
    screen.writableNeedDrain = false;
    screen.emit('drain');
    await screen.shows('the-last-one');
  });

  it('stands still while paused, and goes on with the newest', async () => {
    const { screen, keys, source, node } = start();
    const named = (name: string) => {
      const frame = node.next();
      source.emit({ ...frame, node: { ...frame.node, name } });
    };
    named('before');
    await screen.shows('before');
    keys.press('p');
    await screen.shows('PAUSED');
    named('meanwhile');
    named('newest');
    await screen.shows('PAUSED +2');
    expect(screen.emulator.text()).toContain('before');
    expect(screen.emulator.text()).not.toContain('newest');
    keys.press('p');
    await screen.shows('newest');
    expect(screen.emulator.text()).not.toContain('PAUSED');
  });

  it('never lets a container write to the terminal', async () => {
    const evil = '\x1b[2J\x1b]0;owned\x07\x9b5m\u202eevil\r\nnew line';
    const { screen, source, keys, node } = start({ columns: 160, rows: 45 });
    const frame = node.next();
    const containers = Object.fromEntries(Object.entries(frame.containers).map(([key, info]) => [key, { ...info, namespace: evil, pod: evil, container: evil, cgroup: evil, nodename: evil, image: evil, unresolved: evil, labels: { [evil]: evil } }]));
    const hostile = withRows(withRows(frame, 'opens', frame.panes.opens.rows.map((row) => ({ ...row, comm: evil, path: evil, error: evil }))), 'tcp', frame.panes.tcp.rows.map((row) => ({ ...row, comm: evil, remoteAddress: evil })));
    source.emit({ ...hostile, containers, node: { ...hostile.node, name: evil, kernel: evil } });
    await screen.shows('\\e[2J');
    const from = screen.emulator.written.length;
    keys.press('3', DOWN, 'd');
    await screen.shows('opens: details');
    keys.press('q', '5', DOWN, 'd');
    await screen.shows('containers: details');
    keys.press('q', '\r', 'd');
    await screen.shows('processes: details');
    keys.press('q', 'n');
    await screen.shows('letters narrow the list');
    // Everything that Ink itself writes is colour, cursor movement or erasing; none of these came from the Frame.
    expect(screen.emulator.written).not.toMatch(/\x1b\]|\x9b|\u202e|\x07/);
    expect(screen.emulator.written.slice(from)).not.toContain('\x1b[2J');
    expect(screen.emulator.alternate).toBe(true);
  });
});

describe('keys that ask for something', () => {
  it('reach the source', async () => {
    const { screen, keys, source } = start();
    source.emit();
    await screen.shows('every 1s');
    keys.press('+', 'L');
    await screen.shows('every 2s');
    await expect.poll(() => source.asked).toEqual(['interval 2000', 'level syscalls sampled']);
  });

  it('do nothing on a read-only screen', async () => {
    const { screen, keys, source } = start({ options: { readOnly: true } });
    source.emit();
    await screen.shows('1 syscalls');
    keys.press('+', '-', 'L', 'z');
    await screen.shows('z Unzoom');
    expect(source.asked).toEqual([]);
  });

  it('save what is on the screen, for the owner only, and never over another file', async () => {
    const saveDirectory = mkdtempSync(join(tmpdir(), 'kbtop-save-'));
    const { screen, keys, source } = start({ options: { saveDirectory } });
    const frame = source.emit();
    await screen.shows('1 syscalls');
    keys.press('p', 'w');
    await screen.shows('saved kbtop-worker-1-20261121T020001Z.json');
    source.emit();
    keys.press('w');
    await screen.shows('saved kbtop-worker-1-20261121T020001Z-2.json');
    const names = readdirSync(saveDirectory).toSorted();
    expect(names).toHaveLength(2);
    for (const name of names) {
      expect(JSON.parse(readFileSync(join(saveDirectory, name), 'utf8'))).toEqual(JSON.parse(JSON.stringify(frame)));
      expect(statSync(join(saveDirectory, name)).mode & 0o777).toBe(0o600);
    }
  });

  it('say why nothing was saved', async () => {
    const { screen, keys, source } = start({ options: { saveDirectory: '/proc/no-such-directory' } });
    source.emit();
    await screen.shows('1 syscalls');
    keys.press('w');
    await screen.shows(/not saved: ENOENT/);
  });

  it('start history and totals anew', async () => {
    const { screen, keys, source } = start();
    for (let i = 0; i < 30; i++) source.emit();
    keys.press('t');
    await screen.shows('total 30s');
    keys.press('0');
    await screen.shows('start anew');
    source.emit();
    await screen.shows('total 1s');
  });
});

describe('the end', () => {
  it.each([['q', 'q', 0], ['F10', '\x1b[21~', 0], ['Ctrl-C', '\x03', 130]])('%s leaves the terminal as it was', async (_name, key, code) => {
    const { screen, keys, source, result } = start();
    await screen.emulator.write('');
    source.emit();
    await screen.shows('1 syscalls');
    keys.press(key);
    expect(await result).toBe(code);
    expect(screen.emulator.alternate).toBe(false);
    expect(screen.emulator.cursorHidden).toBe(false);
    expect(screen.emulator.modes.bracketedPaste).toBe(false);
    expect(keys.raw).toBe(false);
    expect(screen.emulator.text().trim()).toBe('');
  });

  it('a source that ends leaves its last Frame to look at', async () => {
    const { screen, keys, source, result } = start();
    source.emit();
    source.end();
    await screen.shows(' END ');
    keys.press('z');
    await screen.shows('z Unzoom');
    keys.press('q');
    expect(await result).toBe(0);
  });

  it('a source that fails is told after the terminal is restored', async () => {
    const { screen, source, result } = start();
    source.emit();
    await screen.shows('1 syscalls');
    source.end(new Error('the kernel went away'));
    await expect(result).rejects.toThrow('the kernel went away');
    expect(screen.emulator.alternate).toBe(false);
  });

  it('a Frame that breaks the screen is an error, not a screen that stands still', async () => {
    const { screen, source, result } = start();
    await screen.shows('loading');
    source.emit({ ...new FakeNode().next(), panes: null as never });
    await expect(result).rejects.toThrow(TypeError);
    expect(screen.emulator.alternate).toBe(false);
  });

  it('a bug in drawing is an error after the terminal is restored', async () => {
    const { screen, source, result } = start();
    const frame = source.emit();
    await screen.shows('1 syscalls');
    // History takes it; drawing does not.
    source.emit({ ...frame, node: null as never });
    await expect(result).rejects.toThrow(TypeError);
    expect(screen.emulator.alternate).toBe(false);
  });

  it.each(['end', 'close', 'error'])('a terminal that is gone (stdin %s) ends it with 130', async (event) => {
    const { screen, keys, source, result } = start();
    source.emit();
    await screen.shows('1 syscalls');
    keys.emit(event, new Error('EIO'));
    expect(await result).toBe(130);
    expect(keys.raw).toBe(false);
  });

  it('a terminal that cannot be written to ends it with 130', async () => {
    const { screen, source, result } = start();
    source.emit();
    await screen.shows('1 syscalls');
    screen.emit('error', Object.assign(new Error('write EIO'), { code: 'EIO' }));
    expect(await result).toBe(130);
    // What comes later finds somebody, too.
    screen.emit('error', new Error('write EPIPE'));
  });

  it('a terminal that takes nothing any more does not hold it', async () => {
    const { screen, keys, source, result } = start();
    source.emit();
    await screen.shows('1 syscalls');
    screen.write = () => false;
    keys.press('q');
    expect(await result).toBe(0);
  });
});

describe('without a terminal', () => {
  it.each([['stdin', false, true, 'xterm'], ['stdout', true, false, 'xterm'], ['a terminal that can draw', true, true, 'dumb']])('without %s it says what to use', async (_what, stdin, stdout, TERM) => {
    const said: string[] = [];
    const write = process.stderr.write;
    process.stderr.write = ((text: string) => said.push(text) > 0) as typeof write;
    try {
      const code = await runUi(fakeSource(), OPTIONS, { stdin: Object.assign(new Keys(), { isTTY: stdin }), stdout: Object.assign(new Screen(80, 24), { isTTY: stdout }), env: { TERM }, ownsProcess: false });
      expect(code).toBe(2);
    } finally {
      process.stderr.write = write;
    }
    expect(said.join('')).toMatch(/^kbtop: the screen needs a terminal.*kbtop snapshot.*\n$/);
  });
});
