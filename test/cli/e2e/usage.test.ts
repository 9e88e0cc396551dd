/** What needs neither root nor BPF: help, version, bad usage. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KBTOP, kbtop, onlyLine } from './kbtop.ts';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as { version: string };

describe('kbtop', () => {
  it('prints its version', async () => {
    for (const flag of ['--version', '-V']) expect(await kbtop([flag])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([[['--help']], [['-h']], [['help']], [['snapshot', '--help']], [['help', 'snapshot']], [['record', '--help']], [['doctor', '-h']], [['top', '--help']]])('explains itself on stdout: %j', async (args) => {
    const { code, stdout, stderr } = await kbtop(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: kbtop /);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it('says with which flags to choose containers, and that without any there are all', async () => {
    const { stdout } = await kbtop(['--help']);
    for (const flag of ['-n, --namespace', '-A, --all-namespaces', '-l, --selector', '-c, --container', '--pod', '--node', '--kubeconfig', '--context', '--host-root', '--runtime-endpoint']) expect(stdout).toContain(`  ${flag} `);
    expect(stdout).toContain('no namespace is the default one');
    expect(stdout).toContain('kbtop -n shop -l app=web');
    expect((await kbtop(['snapshot', '--help'])).stdout).toContain('-l, --selector <labels>');
  });

  it.each([
    [['--frobnicate'], 'unknown option \'--frobnicate\'; see kbtop --help'],
    [['--intervall', '2s'], 'unknown option \'--intervall\'; did you mean --interval?'],
    [['snapshot', '--durration', '2s'], 'unknown option \'--durration\'; did you mean --duration?'],
    [['snapshto'], 'unknown command "snapshto"; did you mean snapshot?'],
    [['frobnicate'], 'unknown command "frobnicate"; commands are top, snapshot'],
    [['snapshot', 'now'], 'snapshot takes no arguments, but got "now"'],
    [['snapshot', '--pane', 'sycalls'], 'unknown pane "sycalls"; did you mean syscalls? (panes are syscalls, runqueue, opens, tcp, containers, processes)'],
    [['snapshot', '--pane', 'tcp,disk'], 'unknown pane "disk"; panes are'],
    [['snapshot', '--pane', ''], 'unknown pane ""; panes are'],
    [['snapshot', '--duration', '5'], '--duration "5" lacks a unit: 5s or 5ms?'],
    [['snapshot', '--duration', 'soon'], '--duration "soon" is not a duration such as'],
    [['snapshot', '--duration', '0s'], '--duration "0s" is too short: 100ms at least'],
    [['snapshot', '--duration', '9h'], '--duration "9h" is too long: 1h at most'],
    [['--interval', '1ms'], '--interval "1ms" is too short'],
    [['snapshot', '--duration'], 'option \'--duration <duration>\' argument missing'],
    [['snapshot', '--count', '0'], '--count "0" is not a whole number from 1'],
    [['snapshot', '--count', '1.5'], '--count "1.5" is not a whole number'],
    [['snapshot', '--limit', '-1'], '--limit "-1" is not a whole number'],
    [['snapshot', '-o', 'xml'], 'unknown output format "xml"; formats are table, json, ndjson, csv, prometheus'],
    [['snapshot', '-o', 'jsno'], 'did you mean json?'],
    [['doctor', '-o', 'csv'], 'unknown output format "csv"; formats are table, json'],
    [['snapshot', '-o', 'prometheus', '--count', '2'], 'prometheus output holds one Frame'],
    [['snapshot', '--pane', 'tcp', '--sort-by', 'cpuPct'], '--sort-by: no column "cpuPct" in tcp; columns are time, pid'],
    [['snapshot', '--sort-by', 'count:up'], '--sort-by "count:up" is not COLUMN'],
    [['snapshot', '--config', '/nonexistent/kbtop.yaml'], 'cannot read the configuration /nonexistent/kbtop.yaml: there is no such file'],
    [['-n', 'Shop'], '-n "Shop" cannot be a namespace: it cannot have "S" there'],
    [['snapshot', '-n', 'shop,'], '-n "" cannot be a namespace'],
    [['snapshot', '-l', 'app in (web'], '-l "app in (web" at character 12: "," or ")" is expected, but the selector ends'],
    [['snapshot', '-A', '-l', 'app=we$b'], '-l "app=we$b" at character 7: the value "we$b" cannot have "$" there'],
    [['snapshot', '--pod', 'shop/svc/web'], '--pod "shop/svc/web": "svc" is no kind of pod owner; kinds are pod, deploy'],
    [['snapshot', '--pod', ''], '--pod lacks the name of a pod'],
    [['snapshot', '--kubeconfig', '/nonexistent/k'], '--kubeconfig "/nonexistent/k": there is no such file or directory'],
    [['doctor', '--kubeconfig', '/'], '--kubeconfig "/" is a directory, not a file'],
    [['--host-root', '/etc/passwd'], '--host-root "/etc/passwd" is no directory'],
    [['doctor', '--host-root', '/nonexistent'], '--host-root "/nonexistent": there is no such file or directory'],
    [['snapshot', '--runtime-endpoint', 'tcp://127.0.0.1:1'], '--runtime-endpoint "tcp://127.0.0.1:1" is not a socket\'s absolute path'],
    [['snapshot', '--node', 'Worker'], '--node "Worker" cannot be a node\'s name'],
    [['snapshot', '--context', ''], '--context lacks the name of a context'],
    [['snapshot', '--selctor', 'a'], 'unknown option \'--selctor\'; did you mean --selector?'],
    [['top'], 'the screen needs a terminal: use kbtop snapshot'],
    [[], 'the screen needs a terminal'],
  ])('refuses %j on one line', async (args, message) => {
    const ended = await kbtop(args);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(onlyLine(ended)).toContain(message);
  });

  it('names the place of a mistake in the configuration', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kbtop-usage-'));
    try {
      const config = join(dir, 'kbtop.yaml');
      writeFileSync(config, 'interval: 2s\npanes:\n  tpc: {}\n');
      const ended = await kbtop(['snapshot', '--config', config]);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(onlyLine(ended)).toContain('kbtop.yaml:3:3: unknown key "tpc" in panes; did you mean tcp?');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('shows where a mistake was made only when asked to', async () => {
    const { code, stderr } = await kbtop(['--frobnicate', '--debug']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^kbtop: unknown option '--frobnicate'[^\n]*\n.*\n +at /);
  });

  it('keeps a hostile argument from the terminal', async () => {
    expect(onlyLine(await kbtop(['snapshot', '--pane', '\u001b[31mred\nline']))).toContain('\\e[31mred');
  });

  it('says so when help does not fit on a full disk', () => {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = spawnSync(KBTOP, ['--help'], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
      expect(status).toBe(1);
      expect(onlyLine({ stderr })).toContain('no space left on device');
    } finally {
      closeSync(full);
    }
  });
});
