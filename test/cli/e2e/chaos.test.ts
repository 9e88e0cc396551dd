/** kbtop chaos as a user runs it, with the real engine on real programs in cgroups of the test's own. */
import { mkdtempSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../../src/chaos/audit.ts';
import type { CapabilitiesDocument } from '../../../src/chaos/capabilities.ts';
import { TestCgroup, canLoadBpf, end, ended, firstLine, hierarchies, ownPath, runIn, until } from '../../workloads/cgroup.ts';
import { timeScale } from '../../workloads/scale.ts';
import { Workload } from '../../workloads/workload.ts';
import { isRunning } from '../../chaos/service/fixture.ts';
import { type Ended, NOBODY, isRoot, kbtop, onlyLine, openKbtop, start } from './kbtop.ts';
import { onTerminal } from './terminal.ts';

let directory: string;
let capabilities: CapabilitiesDocument;
const works = canLoadBpf && hierarchies.mounts(0).length > 0;
const auditFile = (): string => join(directory, 'audit.jsonl');
const env = (): NodeJS.ProcessEnv => ({ KBTOP_RUN_DIRECTORY: join(directory, 'run') });
const run = (...args: readonly string[]): Promise<Ended> => kbtop(['chaos', 'run', '--audit', auditFile(), ...args], { env: env() });
const begin = (...args: readonly string[]): ReturnType<typeof start> => start(['chaos', 'run', '--audit', auditFile(), ...args], { env: env() });
const audit = (): AuditRecord[] => (existsSync(auditFile()) ? readFileSync(auditFile(), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as AuditRecord) : []);
/** Injectors that are registered. */
const injectors = (): number[] => (existsSync(join(directory, 'run')) ? readdirSync(join(directory, 'run')).flatMap((name) => /^chaos-(\d+)\.json$/.exec(name)?.slice(1).map(Number) ?? []) : []);

const REFUSED = '111';

beforeAll(async () => {
  if (!works) return;
  directory = mkdtempSync(join(tmpdir(), 'kbtop-chaos-e2e-'));
  capabilities = JSON.parse((await kbtop(['chaos', 'capabilities', '-o', 'json'], { env: env() })).stdout) as CapabilitiesDocument;
});
afterAll(() => {
  if (works) rmSync(directory, { recursive: true, force: true });
});

describe('kbtop chaos', () => {
  it.each([
    [['chaos', 'frobnicate'], 2, 'unknown command "chaos frobnicate"; commands are run, plan, capabilities, stop'],
    [['chaos', 'run'], 2, 'which calls? Give --syscall NAME'],
    [['chaos', 'run', '--pod', 'shop/web', '--inject', 'openat:eror=EIO'], 2, 'at character 8: unknown option "eror"; did you mean error?'],
    [['chaos', 'run', '--read-only', '--pod', 'shop/web', '--syscall', 'read', '--error', 'EIO'], 3, 'kbtop is read-only'],
    [['chaos', 'run', '-o', 'xml', '--pod', 'shop/web', '--syscall', 'read', '--error', 'EIO'], 2, 'unknown output format "xml"; formats are text, ndjson'],
    [['chaos', 'plan', '--syscall', 'read', '--error', 'EIO'], 2, 'whom is it for?'],
    [['chaos-injector'], 2, 'is started by kbtop itself: use kbtop chaos run'],
  ])('%j is told on one line', async (args, code, message) => {
    const result = await kbtop(args);
    expect(onlyLine(result)).toContain(message);
    expect(result).toMatchObject({ code, stdout: '' });
  });

  it.each([[['chaos']], [['chaos', '--help']], [['chaos', 'run', '--help']], [['chaos', 'plan', '-h']], [['chaos', 'stop', '--help']]])('explains itself: %j', async (args) => {
    const { code, stdout, stderr } = await kbtop(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: kbtop chaos/);
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120);
    expect((await kbtop(['--help'])).stdout).not.toContain('chaos-injector');
  });

  it.skipIf(!isRoot)('needs root, and says so', async () => {
    const result = await kbtop(['chaos', 'run', '--cgroup', '/x', '--syscall', 'read', '--error', 'EIO', '--yes'], { command: openKbtop(), ...NOBODY });
    expect(onlyLine(result)).toContain('BPF needs root');
    expect(result.code).toBe(3);
  });
});

describe.skipIf(!works)('kbtop chaos on a real target', () => {
  let group: TestCgroup;
  let client: Workload;
  let port: string;

  /** Results of so many connects, errno by errno. */
  const connects = async (count: number): Promise<string> => (await client.ask(`connect ${count} 4 127.0.0.1 ${port} block close`)).split(' ')[0] ?? '';
  const armed = (child: ReturnType<typeof start>): Promise<unknown> => until('the fault to be armed', () => /^(?:Armed|Counting) until /m.test(child.out()));

  beforeEach(async () => {
    rmSync(auditFile(), { force: true });
    group = new TestCgroup(ownPath('chaos'));
    client = new Workload('tcp', [group]);
    port = await client.ask('listen 0 4 127.0.0.1 0 128');
  });

  afterEach(async () => {
    client.child.kill('SIGKILL');
    await client.exited;
    await group.remove();
    const left = injectors();
    if (left.length > 0) throw new Error(`injectors are left: ${left.join(', ')}`);
  });

  const connect = (): string[] => ['--cgroup', group.path, '--syscall', 'connect', '--error', 'ECONNREFUSED'];

  it('tells what this kernel allows, as the contract has it', async () => {
    expect(Object.keys(capabilities)).toEqual(['syscalls', 'backends']);
    expect(capabilities.backends.find(({ name }) => name === 'cgroup')).toMatchObject({ usable: true });
    expect(capabilities.syscalls.find(({ syscall }) => syscall === 'connect')).toMatchObject({ possible: true, errors: expect.arrayContaining(['ECONNREFUSED', 'ETIMEDOUT']) as string[] });
    const table = await kbtop(['chaos', 'capabilities'], { env: env() });
    expect(table.stdout).toMatch(/^BACKEND +USABLE +WHAT +WHY\n/);
    expect(table.code).toBe(0);
  });

  it('hits exactly as often as it may, tells each hit, and leaves nothing behind', async () => {
    const child = begin(...connect(), '--max-hits', '7', '--for', '30s', '--yes');
    await armed(child);
    expect(await connects(20)).toBe(`0:13,${REFUSED}:7`);
    const { code, stdout, stderr } = await child.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const hits = stdout.split('\n').filter((line) => / connect +ECONNREFUSED +\w+/.test(line));
    expect(hits).toHaveLength(7);
    for (const line of hits) expect(line).toContain(` ${client.pid}  tcp-`);
    expect(stdout).toContain(`For 30 s, every connect of cgroup ${group.path} fails with ECONNREFUSED`);
    expect(stdout).toMatch(/Ended after .*: its budget was spent\. \d+ calls matched, 7 were hit, 7 failed\.\n$/);
    expect(audit()).toMatchObject([{ event: 'armed', cgroups: [{ id: group.key, path: group.path }] }, { event: 'ended', reason: 'budget', hits: 7 }]);
    expect(await connects(5)).toBe('0:5');
  });

  it('ends when nobody reads its output any more', async () => {
    const child = begin(...connect(), '--for', '60s', '--yes');
    await armed(child);
    child.child.stdout.destroy();
    await connects(1);
    expect((await child.ended).code).toBe(0);
    expect(await connects(4)).toBe('0:4');
    expect(audit().at(-1)).toMatchObject({ event: 'ended', reason: 'stopped' });
  });

  it('only counts in a dry run, and asks nothing', async () => {
    const child = begin(...connect(), '--max-hits', '3', '--for', '20s', '--dry-run');
    await armed(child);
    for (let i = 0; i < 10; i++) expect(await connects(1)).toBe('0:1');
    const { code, stdout } = await child.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/3 would have been hit\./);
    expect(stdout.match(/\(ECONNREFUSED\)/g)).toHaveLength(3);
  });

  it('brings signals', async () => {
    const target = runIn([group], 'echo up; while :; do : < /dev/null; done');
    try {
      await firstLine(target);
      const { code, stdout } = await run('--cgroup', group.path, '--syscall', '%open', '--signal', 'TERM', '--comm', 'sh', '--max-hits', '1', '--for', '20s', '--yes', '-o', 'ndjson');
      await ended(target);
      expect(target.signalCode).toBe('SIGTERM');
      const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as { event: string; hit?: unknown });
      expect(lines.map(({ event }) => event)).toEqual(['armed', 'hit', 'ended']);
      expect(lines[1]).toMatchObject({ hit: { effect: 'signal', given: 'SIGTERM', pid: target.pid, comm: 'sh' } });
      expect(code).toBe(0);
    } finally {
      await end(target);
    }
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends at %s, with the fault out of the kernel before it is gone', async (signal) => {
    const child = begin(...connect(), '--max-hits', '500', '--for', '60s', '--yes');
    await armed(child);
    const [injector = 0] = injectors();
    expect(await connects(3)).toBe(`${REFUSED}:3`);
    child.child.kill(signal);
    const { code, stdout } = await child.ended;
    expect(code).toBe(130);
    expect(isRunning(injector)).toBe(false);
    expect(stdout).toContain(': it was interrupted. ');
    expect(await connects(4)).toBe('0:4');
    expect(audit().at(-1)).toMatchObject({ event: 'ended', reason: 'interrupted' });
  });

  it('is out of the kernel within three seconds when kbtop is killed', async () => {
    const child = begin(...connect(), '--max-hits', '900', '--for', '60s', '--yes');
    await armed(child);
    const [injector = 0] = injectors();
    expect(await connects(3)).toBe(`${REFUSED}:3`);
    const from = performance.now();
    child.child.kill('SIGKILL');
    await until('the injector to go', () => !isRunning(injector));
    expect(performance.now() - from).toBeLessThan(3000 * timeScale);
    expect(await connects(4)).toBe('0:4');
    expect(audit().at(-1)).toMatchObject({ event: 'ended', reason: 'watchdog' });
  });

  it('is ended by kbtop chaos stop from elsewhere', async () => {
    const child = begin(...connect(), '--for', '60s', '--yes');
    await armed(child);
    const stopped = await kbtop(['chaos', 'stop'], { env: env() });
    expect(stopped).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(new RegExp(`^stopped \\(pid \\d+\\): For 1 min, every connect of cgroup ${group.path} `)) as string });
    expect((await child.ended).code).toBe(130);
    expect(await connects(4)).toBe('0:4');
    expect(await kbtop(['chaos', 'stop'], { env: env() })).toMatchObject({ code: 0, stdout: 'nothing to stop: no kbtop holds faults on this node\n' });
  });

  it('ends with its target', async () => {
    const other = new TestCgroup(ownPath('gone'));
    const child = begin('--cgroup', other.path, '--syscall', 'connect', '--error', 'EIO', '--for', '60s', '--yes');
    await armed(child);
    await other.remove();
    const result = await child.ended;
    expect(result.code).toBe(4);
    expect(onlyLine(result)).toBe(`the fault ended before its time: ${other.path} is gone`);
  });

  it.each([
    [['--cgroup', '/kbtop-nobody', '--syscall', 'connect', '--error', 'EIO', '--yes'], 4, 'no cgroup /kbtop-nobody runs on this node'],
    [['--cgroup', '/', '--syscall', 'connect', '--error', 'EIO', '--yes'], 3, 'the target is the whole node'],
    [['--pod', 'kbtop/nobody', '--syscall', 'connect', '--error', 'EIO', '--yes'], 4, 'no pod kbtop/nobody runs on this node'],
  ])('%j is refused', async (args, code, message) => {
    const result = await run(...args);
    expect(onlyLine(result)).toContain(message);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(audit()).toEqual([]);
  });

  it('arms nothing when nobody says yes, or nobody can', async () => {
    const result = await run(...connect());
    expect(result.code).toBe(2);
    expect(onlyLine(result)).toContain('give --yes');
    const killing = await run('--cgroup', group.path, '--syscall', 'connect', '--signal', 'KILL', '--yes');
    expect(onlyLine(killing)).toContain('must be typed to confirm it');
    const no = await onTerminal({ args: ['chaos', 'run', '--audit', auditFile(), ...connect()], when: /Type yes to arm it: /, keys: 'no\r' });
    expect(no.code).toBe(3);
    expect(no.text).toContain('nothing is armed: "no" is not "yes"');
    expect(audit()).toEqual([]);
  });

  it('arms nothing without an audit', async () => {
    const result = await kbtop(['chaos', 'run', ...connect(), '--yes', '--audit', directory], { env: env() });
    expect(onlyLine(result)).toContain('nothing is armed without it');
    expect(result.code).toBe(1);
  });

  it('asks on a terminal, and ends at Ctrl-C there', async () => {
    const name = group.path.slice(1);
    const { text, code } = await onTerminal({ args: ['chaos', 'run', '--audit', auditFile(), '--cgroup', group.path, '--syscall', 'connect', '--signal', 'KILL', '--for', '300ms'], when: /Type .* to arm it: /, keys: `${name}\r` });
    expect(text).toContain('irreversible: SIGKILL ends the process');
    expect(text).toContain('its time was over');
    expect(code).toBe(0);
    const asked = await onTerminal({ args: ['chaos', 'run', '--audit', auditFile(), ...connect()], when: /Type yes to arm it: /, keys: '\u0003' });
    expect(asked.code).toBe(130);
  });

  it('plans without arming, and previews what was measured', async () => {
    const busy = runIn([group], 'echo up; while :; do : < /dev/null; done');
    try {
      await firstLine(busy);
      const { code, stdout } = await kbtop(['chaos', 'plan', '--cgroup', group.path, '--syscall', '%open', '--delay', '1ms', '--duration', '500ms', '-o', 'json'], { env: env() });
      const plan = JSON.parse(stdout) as { schema: string; rules: { preview: { callsPerSec: number } }[] };
      expect(plan).toMatchObject({ schema: 'kbtop.plan/1', use: 'all', rules: [{ possible: true, obstacle: null, confirmation: null, targets: [{ key: group.key, cgroup: group.path }] }] });
      expect(plan.rules[0]?.preview.callsPerSec).toBeGreaterThan(10);
      expect(code).toBe(0);
      expect(audit()).toEqual([]);
    } finally {
      await end(busy);
    }
  });
});
