import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_CONFIG, parseConfig, readConfig } from '../../src/cli/config.ts';
import { EXIT, KbtopError } from '../../src/cli/errors.ts';

async function mistake(text: string): Promise<string> {
  const thrown: unknown = await parseConfig(text, 'k.yaml').then(() => null, (error: unknown) => error);
  if (!(thrown instanceof KbtopError)) throw new Error(`no KbtopError for ${JSON.stringify(text)}: ${String(thrown)}`);
  expect(thrown.exitCode).toBe(EXIT.usage);
  expect(thrown.message).not.toContain('\n');
  return thrown.message;
}

describe('parseConfig', () => {
  it('reads every key', async () => {
    const config = await parseConfig('interval: 2s\ncolor: false\nascii: true\nreadOnly: true\npanes:\n  syscalls: {sort: p99Us}\n  opens:\n    sort: comm:desc\n', 'k.yaml');
    expect(config).toMatchObject({ intervalMs: 2000, color: false, ascii: true, readOnly: true });
    expect(config.sort.syscalls).toMatchObject({ column: { id: 'p99Us' }, descending: true });
    expect(config.sort.opens).toMatchObject({ column: { id: 'comm' }, descending: true });
  });

  it('reads where names are looked up', async () => {
    const config = await parseConfig('node: worker-1\nkubeconfig: /etc/passwd\ncontext: prod\nhostRoot: /proc/..\nruntimeEndpoint: unix:///run/x.sock\n', 'k.yaml');
    expect(config).toEqual({ ...NO_CONFIG, node: 'worker-1', kubeconfig: '/etc/passwd', context: 'prod', hostRoot: '/', runtimeEndpoint: 'unix:///run/x.sock' });
  });

  it('is content with nothing, a comment, JSON, or automatic colour', async () => {
    expect(await parseConfig('', 'k.yaml')).toEqual(NO_CONFIG);
    expect(await parseConfig('# nothing\n', 'k.yaml')).toEqual(NO_CONFIG);
    expect(await parseConfig('panes:\n', 'k.yaml')).toEqual(NO_CONFIG);
    expect(await parseConfig('{"interval": "500ms"}', 'k.yaml')).toEqual({ ...NO_CONFIG, intervalMs: 500 });
    expect((await parseConfig('color: auto', 'k.yaml')).color).toBeNull();
  });

  it.each([
    ['intervall: 2s', 'k.yaml:1:1: unknown key "intervall" in the configuration; did you mean interval?'],
    ['interval: 2s\nconstructor: 1', 'k.yaml:2:1: unknown key "constructor"'],
    ['interval: 2', 'k.yaml:1:11: interval "2" lacks a unit'],
    ['interval: 1ms', 'k.yaml:1:11: interval "1ms" is too short: 100ms at least'],
    ['ascii: yes please', 'k.yaml:1:8: ascii must be true or false'],
    ['color: blue', 'k.yaml:1:8: color must be auto, true or false'],
    ['panes:\n  sycalls: {}', 'k.yaml:2:3: unknown key "sycalls" in panes; did you mean syscalls?'],
    ['panes:\n  tcp:\n    sort: cpuPct', 'k.yaml:3:11: pane tcp has no column "cpuPct"; it has time, pid'],
    ['panes:\n  tcp:\n    sort: pid:up', 'k.yaml:3:11: "pid:up" is not COLUMN'],
    ['panes:\n  tcp:\n    sort: [pid]', 'k.yaml:3:11: a single value is expected here'],
    ['node: Worker', 'k.yaml:1:7: node "Worker" cannot be a node\'s name: it cannot have "W" there'],
    ['node: 5', 'k.yaml:1:7: node must be a text'],
    ['kubeconfig: /nonexistent/k', 'k.yaml:1:13: kubeconfig "/nonexistent/k": there is no such file or directory'],
    ['kubeconfig: k', 'k.yaml:1:13: kubeconfig "k" is neither absolute nor begins with ~/'],
    ['kubeconfig: /', 'k.yaml:1:13: kubeconfig "/" is a directory, not a file'],
    ['context: ""', 'k.yaml:1:10: context lacks the name of a context'],
    ['context: [a]', 'k.yaml:1:10: a single value is expected here'],
    ['hostRoot: /etc/passwd', 'k.yaml:1:11: hostRoot "/etc/passwd" is no directory'],
    ['runtimeEndpoint: tcp://1.2.3.4', 'k.yaml:1:18: runtimeEndpoint "tcp://1.2.3.4" is not a socket\'s absolute path'],
    ['namespace: shop', 'k.yaml:1:1: unknown key "namespace"'],
    ['panes: 3', 'k.yaml:1:8: panes must be a mapping'],
    ['- a', 'k.yaml:1:1: the configuration must be a mapping'],
    ['ascii: true\nascii: false', 'k.yaml:2:1: Map keys must be unique'],
    ['panes: {', 'k.yaml:1:9: '],
    ['\tinterval: 1s', 'k.yaml:1:'],
    ['interval: *nobody', 'k.yaml:'],
  ])('%j', async (text, message) => {
    expect(await mistake(text)).toContain(message);
  });
});

describe('readConfig', () => {
  let dir: string;
  beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'kbtop-config-')); });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('takes the given file, or the default one if it is there', async () => {
    expect(await readConfig(undefined, { XDG_CONFIG_HOME: dir })).toEqual(NO_CONFIG);
    mkdirSync(join(dir, 'kbtop'));
    const file = join(dir, 'kbtop', 'config.yaml');
    writeFileSync(file, 'interval: 3s');
    expect((await readConfig(undefined, { XDG_CONFIG_HOME: dir })).intervalMs).toBe(3000);
    expect((await readConfig(file, {})).intervalMs).toBe(3000);
    mkdirSync(join(dir, '.config'));
    expect(await readConfig(undefined, { HOME: dir })).toEqual(NO_CONFIG);
  });

  it('does not swallow a missing, unreadable or wrong file', async () => {
    await expect(readConfig(join(dir, 'none.yaml'), {})).rejects.toThrow(/^cannot read the configuration .*none\.yaml: there is no such file$/);
    await expect(readConfig(dir, {})).rejects.toThrow(/^cannot read the configuration /);
    mkdirSync(join(dir, 'kbtop'));
    writeFileSync(join(dir, 'kbtop', 'config.yaml'), 'what: 1');
    await expect(readConfig(undefined, { XDG_CONFIG_HOME: dir })).rejects.toThrow('config.yaml:1:1: unknown key "what"');
  });
});
