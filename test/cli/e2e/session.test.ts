/** kbtop serve and kbtop attach as people run them: real processes, real sockets, real users, real faults. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditVisit } from '../../../src/chaos/audit.ts';
import { validateRule } from '../../../src/chaos/validate.ts';
import { AttachSource } from '../../../src/session/client/attach-source.ts';
import { dialSession } from '../../../src/session/client/dial.ts';
import { PROTOCOL } from '../../../src/session/protocol/limits.ts';
import { writeToServer } from '../../../src/session/protocol/messages.ts';
import { Pty, plainEnv } from '../../pty/pty.ts';
import { isRunning } from '../../chaos/service/fixture.ts';
import { TestCgroup, canLoadBpf, end, ended, hierarchies, ownPath, until } from '../../workloads/cgroup.ts';
import { Workload } from '../../workloads/workload.ts';
import { KBTOP, NOBODY, kbtop, onlyLine, openKbtop, start } from './kbtop.ts';

/** A user and a group that this machine has no name for. */
const ALICE = { uid: 12_345, gid: 54_321 };

let directory: string;
const socket = (): string => join(directory, 'run/kbtop.sock');
const auditFile = (): string => join(directory, 'audit.jsonl');
const env = (): NodeJS.ProcessEnv => ({ KBTOP_RUN_DIRECTORY: join(directory, 'run') });
const audit = (): AuditVisit[] => (existsSync(auditFile()) ? readFileSync(auditFile(), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as AuditVisit) : []);

class Serving {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null }>;
  stderr = '';

  private constructor(args: readonly string[]) {
    const { child, ended } = start(['serve', '--interval', '250ms', '--audit', auditFile(), ...args], { env: env() });
    this.child = child;
    this.ended = ended;
    child.stderr.on('data', (text: string) => { this.stderr += text; });
  }

  static async start(...args: readonly string[]): Promise<Serving> {
    const one = new Serving(args);
    await until('the session', () => one.stderr.includes('kbtop: serving ') || one.child.exitCode !== null);
    if (one.child.exitCode !== null) throw new Error(`kbtop serve ended: ${one.stderr}`);
    return one;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get rssMiB(): number {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]) / 1024;
  }

  /** Sockets that it has open. */
  get sockets(): number {
    return readdirSync(`/proc/${this.pid}/fd`).filter((fd) => {
      try {
        return readlinkSync(`/proc/${this.pid}/fd/${fd}`).startsWith('socket:');
      } catch {
        return false; // closed meanwhile
      }
    }).length;
  }
}

interface Line {
  readonly seq?: number;
  readonly trouble?: string | null;
  readonly skipped?: number | null;
  readonly viewers?: readonly (readonly [string, number])[];
}

/** test/session/children/viewer.ts. */
class Viewing {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];

  constructor() {
    this.child = spawn(process.execPath, [join(import.meta.dirname, '../../session/children/viewer.ts'), socket()], { stdio: ['ignore', 'pipe', 'inherit'] });
    let rest = '';
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.lines.push(JSON.parse(line) as Line);
    });
  }

  get seqs(): number[] {
    return this.lines.flatMap(({ seq }) => seq ?? []);
  }

  get last(): number {
    return this.seqs.at(-1) ?? 0;
  }
}

const running: { kill(): Promise<unknown> }[] = [];
async function serve(...args: readonly string[]): Promise<Serving> {
  const serving = await Serving.start(...args);
  running.push({ kill: () => end(serving.child) });
  return serving;
}
function view(): Viewing {
  const viewing = new Viewing();
  running.push({ kill: () => end(viewing.child) });
  return viewing;
}
async function attach(): Promise<AttachSource> {
  const source = await AttachSource.open({ dial: () => dialSession(socket()), version: 'test', terminal: 'test', steps: { firstMs: 50, longestMs: 200 } });
  running.push({ kill: () => source.close() });
  return source;
}
/** Over stdin and stdout of a program. */
async function relayed(command: string, args: readonly string[], terminal: string | null = null): Promise<{ readonly child: ChildProcess; readonly source: AttachSource }> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  running.push({ kill: () => end(child) });
  const source = await AttachSource.open({ dial: () => Promise.resolve(Duplex.from({ readable: child.stdout, writable: child.stdin })), version: 'test', terminal, steps: { firstMs: 60_000, longestMs: 60_000 } });
  running.push({ kill: () => source.close() });
  return { child, source };
}
/** As another user. */
const as = ({ uid, gid }: { readonly uid: number; readonly gid: number }, groups: string, ...command: readonly string[]): readonly string[] => ['--reuid', `${uid}`, '--regid', `${gid}`, ...(groups === '' ? ['--clear-groups'] : ['--groups', groups]), ...command];

describe('kbtop attach', () => {
  it.each([
    [['attach', '/nowhere/kbtop.sock', '--stdio'], 1, 'there is no session on /nowhere/kbtop.sock: start one with sudo kbtop serve'],
    [['attach', `/${'x'.repeat(120)}`, '--stdio'], 1, 'is longer than the 107 bytes'],
    [['attach', 'a', 'b'], 2, 'attach takes one argument at the most'],
    [['attach'], 2, 'the screen needs a terminal'],
    [['serve', '--mode', '0777'], 2, '--mode "0777" is none'],
    [['serve', '--group', 'no-such-group'], 2, '--group "no-such-group" is no group of this machine'],
    [['serve', '--allow-control=no-such-user'], 2, '"no-such-user" is no user of this machine'],
    [['serve', '--allow-control=@0', '--read-only'], 2, '--read-only and --allow-control contradict each other'],
    [['serve', '--allow-control=12345'], 2, 'let them in with --group NAME'],
  ])('%j is told on one line', async (args, code, message) => {
    const result = await kbtop(args);
    expect(onlyLine(result)).toContain(message);
    expect(result).toMatchObject({ code, stdout: '' });
  });

  it.each([[['serve', '--help']], [['attach', '-h']]])('explains itself: %j', async (args) => {
    const { code, stdout, stderr } = await kbtop(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120);
  });
});

describe.skipIf(!canLoadBpf)('a session (needs root and BTF)', () => {
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kbtop-session-'));
    chmodSync(directory, 0o755);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  beforeEach(() => rmSync(auditFile(), { force: true }));
  afterEach(async () => {
    for (const one of running.splice(0).reverse()) await one.kill();
    rmSync(join(directory, 'run'), { recursive: true, force: true });
  });

  it('is for its user alone, says how to attach, and takes its socket away', async () => {
    const serving = await serve();
    expect(serving.stderr).toMatch(/^kbtop: serving \S+ on \S+\/run\/kbtop\.sock; look with: sudo kbtop attach\n$/);
    expect(statSync(socket()).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'run')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(directory, 'run'))).toEqual(['kbtop.sock']);
    const second = await kbtop(['serve', '--audit', auditFile()], { env: env() });
    expect(second.code).toBe(1);
    expect(onlyLine(second)).toContain(`kbtop serve runs already on ${socket()} (pid ${serving.pid}): look with kbtop attach`);
    serving.child.kill('SIGTERM');
    expect((await serving.ended).code).toBe(0);
    expect(readdirSync(join(directory, 'run'))).toEqual([]);
    expect(readdirSync(directory).sort()).toEqual(['audit.jsonl', 'run']);
  });

  it('shows one screen on several terminals, without the addon', async () => {
    await serve();
    // A kbtop that has nothing but its bundle.
    const bare = join(directory, 'bare');
    running.push({ kill: () => Promise.resolve(rmSync(bare, { recursive: true, force: true })) });
    cpSync(join(KBTOP, '../../dist'), join(bare, 'dist'), { recursive: true, filter: (path) => !/\/bpf$|\.node$/.test(path) });
    cpSync(KBTOP, join(bare, 'bin/kbtop'));
    symlinkSync(join(KBTOP, '../../node_modules'), join(bare, 'node_modules'));
    const screens = [KBTOP, join(bare, 'bin/kbtop')].map((file) => new Pty(file, ['attach', socket()], { columns: 120, rows: 40, env: plainEnv() }));
    running.push(...screens);
    for (const screen of screens) await screen.shows(/[1-9]\d*\/\d+ probes/);
    for (const screen of screens) {
      screen.write('q');
      expect(await screen.ended()).toBe(0);
    }
  });

  it('gives every viewer every Frame while one is stopped, and that one the latest when it goes on', async () => {
    const serving = await serve();
    const viewers = Array.from({ length: 10 }, view);
    await until('all to look', () => viewers.every(({ last }) => last > 0), 60_000);
    const [stopped, ...others] = viewers as [Viewing, ...Viewing[]];
    const rss = serving.rssMiB;
    stopped.child.kill('SIGSTOP');
    const from = Math.max(...others.map(({ last }) => last));
    // 30 Frames: less than the patience with a viewer that takes nothing.
    await until('the others to go on', () => others.every(({ last }) => last >= from + 30), 60_000);
    // A machine that has no time for a viewer makes it miss a Frame now and then; the stopped one would make it miss all.
    for (const { seqs } of others) expect(seqs.filter((seq) => seq > from && seq <= from + 30).length).toBeGreaterThanOrEqual(25);
    expect(serving.rssMiB - rss).toBeLessThan(64);
    const before = stopped.last;
    stopped.child.kill('SIGCONT');
    await until('it to go on', () => stopped.last > from + 30);
    const after = stopped.seqs.filter((seq) => seq > before);
    // What was under way, then the latest; none of those between.
    expect(after[1] ?? 0).toBeGreaterThan((after[0] ?? 0) + 10);
    const skipped = await until('the count', () => stopped.lines.findLast((line) => (line.skipped ?? 0) > 0)?.skipped);
    expect(skipped).toBeGreaterThanOrEqual(10);
    // The others are told, too.
    const name = `(viewer/${stopped.child.pid})`;
    expect(others[0]?.lines.findLast((line) => line.viewers !== undefined)?.viewers?.find(([one]) => one.endsWith(name))?.[1]).toBeGreaterThanOrEqual(10);
  });

  it('comes back to its viewers when it was killed, and replaces the socket that is left', async () => {
    const first = await serve();
    const viewers = [view(), view()];
    await until('both to look', () => viewers.every(({ last }) => last > 0), 60_000);
    first.child.kill('SIGKILL');
    await until('both to miss it', () => viewers.every(({ lines }) => lines.some(({ trouble }) => typeof trouble === 'string')));
    expect(existsSync(socket())).toBe(true);
    const told = viewers.map(({ lines }) => lines.length);
    await serve();
    await until('both to look again', () => viewers.every(({ lines }, i) => lines.slice(told[i]).some(({ seq }) => seq !== undefined)));
    for (const { lines } of viewers) expect(lines.findLast((line) => line.trouble !== undefined)?.trouble).toBe(null);
    expect(readdirSync(join(directory, 'run'))).toEqual(['kbtop.sock']);
  });

  it('refuses what is no viewer, goes on, and says so', async () => {
    const serving = await serve();
    const source = await attach();
    const seqs: number[] = [];
    source.subscribe(({ seq }) => seqs.push(seq));
    await until('a Frame', () => seqs.length > 0);
    const rss = serving.rssMiB;
    const throwAt = (bytes: Buffer, times = 1): Promise<void> => new Promise((resolve) => {
      const thrower = connect(socket());
      let left = times;
      const more = (): void => {
        while (left-- > 0 && !thrower.destroyed) if (!thrower.write(bytes)) return;
      };
      thrower.on('error', () => {}).on('close', () => resolve()).on('drain', more).on('connect', more).resume();
    });
    const hello = writeToServer({ kind: 'hello', protocol: PROTOCOL, version: 'x', terminal: null });
    await throwAt(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    // Half a message, and a header that announces a gigabyte.
    await Promise.all([throwAt(hello.subarray(0, 20)), throwAt(Buffer.concat([hello, Buffer.from([0x6b, 0x62, 1, 9, 0x40, 0, 0, 0])]))]);
    // A gigabyte that is really sent: garbage, and small messages that are right.
    await throwAt(Buffer.alloc(1024 * 1024, 0x41), 1024);
    await throwAt(Buffer.concat([hello, ...Array.from({ length: 100_000 }, () => writeToServer({ kind: 'beat' }))]), 1024);
    await Promise.all(Array.from({ length: 300 }, () => throwAt(Buffer.alloc(64))));
    const at = seqs.at(-1) ?? 0;
    await until('more Frames', () => (seqs.at(-1) ?? 0) > at + 2);
    expect(serving.rssMiB - rss).toBeLessThan(64);
    expect(serving.stderr).toContain('what it sends is no message of kbtop');
    expect(serving.stderr).toContain('it did not sign on');
    expect(serving.stderr).toContain('a message of 1073741824 bytes where 65536 are allowed');
    expect(serving.stderr).toContain('it sends too many messages');
    expect(serving.stderr).toContain('too many connections');
    expect(audit().some(({ event, detail }) => event === 'refused' && detail === 'too many connections')).toBe(true);
    // Floods fill neither the log nor the audit.
    expect(serving.stderr.split('\n').length).toBeLessThan(40);
    expect(audit().length).toBeLessThan(40);
    expect(serving.sockets).toBeLessThan(140);
  });

  it('is looked at by a group, and refused to everybody else', async () => {
    const serving = await serve('--group', `${ALICE.gid}`);
    expect(serving.stderr).toContain('look with: kbtop attach');
    expect(statSync(socket())).toMatchObject({ gid: ALICE.gid });
    expect(statSync(socket()).mode & 0o777).toBe(0o660);
    expect(statSync(join(directory, 'run')).mode & 0o777).toBe(0o711);
    const ends = (who: readonly string[]): ReturnType<typeof kbtop> => kbtop(who, { command: 'setpriv' });
    const command = [openKbtop(), 'attach', '--stdio', socket()];
    // The group as the first one, and as one of many; a viewer without a word is let in as far as that.
    for (const who of [as(ALICE, '', ...command), as({ uid: 777, gid: 778 }, `1,${ALICE.gid},2`, ...command)]) expect(await ends(who)).toMatchObject({ code: 0, stderr: '' });
    const nobody = await ends(as(NOBODY, '', ...command));
    expect(nobody.code).toBe(3);
    expect(onlyLine(nobody)).toContain(`you may not look at ${socket()}: use sudo kbtop attach`);
    // Past the file's mode the kernel's word about the other end still counts.
    chmodSync(socket(), 0o666);
    const screen = new Pty('setpriv', [...as(NOBODY, '', openKbtop(), 'attach', socket())], { env: plainEnv() });
    running.push(screen);
    await screen.shows('nobody may not look at this session: ask whoever runs kbtop serve for --group or --mode');
    expect(await screen.ended()).toBe(3);
    await until('the refusal', () => audit().some(({ event, who }) => event === 'refused' && who.uid === NOBODY.uid));
    expect(serving.stderr).toMatch(/refused nobody \(pid \d+\): nobody may not look/);
  });

  it('travels over stdin and stdout of another program, and ends with either side', async () => {
    const serving = await serve();
    const before = serving.sockets;
    const { child, source } = await relayed(KBTOP, ['attach', '--stdio', socket()]);
    const seqs: number[] = [];
    source.subscribe(({ seq }) => seqs.push(seq));
    await until('some Frames', () => seqs.length > 3);
    await source.close();
    expect(await ended(child)).toBe(0);
    await until('its socket to be closed', () => serving.sockets <= before);
    const other = await relayed(KBTOP, ['attach', '--stdio', socket()]);
    serving.child.kill('SIGTERM');
    expect(await ended(other.child)).toBe(0);
    expect((await serving.ended).code).toBe(0);
  });

  it('gives snapshots its Frames, and needs no root for it', async () => {
    await serve('--mode', '0666');
    const result = await kbtop([...as(NOBODY, '', openKbtop(), 'snapshot', '--attach', socket(), '--count', '2', '-o', 'ndjson')], { command: 'setpriv' });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const frames = result.stdout.trim().split('\n').map((line) => JSON.parse(line) as { seq: number; schema: string });
    expect(frames).toHaveLength(2);
    expect(frames[0]?.schema).toBe('kbtop.frame/1');
    expect(frames[1]?.seq).toBeGreaterThan(frames[0]?.seq ?? 0);
    expect(onlyLine(await kbtop(['snapshot', '--attach', socket(), '--duration', '2s']))).toContain('leave out --duration');
    const nothing = await kbtop(['snapshot', '--attach', '/nowhere/s']);
    expect(nothing.code).toBe(1);
    expect(onlyLine(nothing)).toContain('there is no session on /nowhere/s');
  });

  it('ends a relay whose reader is stuck for ever', async () => {
    const serving = await serve();
    const child = spawn(KBTOP, ['attach', '--stdio', socket()], { stdio: ['pipe', 'pipe', 'inherit'] });
    running.push({ kill: () => end(child) });
    child.stdout.pause();
    child.stdin.write(writeToServer({ kind: 'hello', protocol: PROTOCOL, version: 'x', terminal: null }));
    await until('it to be let in', () => serving.stderr.includes('attached'));
    serving.child.kill('SIGKILL');
    expect(await ended(child)).toBe(0);
  });
});

const works = canLoadBpf && hierarchies.mounts(0).length > 0;
const REFUSED = '111';

describe.skipIf(!works)('control of a session (needs root, BTF and cgroup v2)', () => {
  let group: TestCgroup;
  let client: Workload;
  let port: string;

  const connects = async (count: number): Promise<string> => (await client.ask(`connect ${count} 4 127.0.0.1 ${port} block close`)).split(' ')[0] ?? '';
  const injectors = (): number[] => readdirSync(join(directory, 'run')).flatMap((name) => /^chaos-(\d+)\.json$/.exec(name)?.slice(1).map(Number) ?? []);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kbtop-session-'));
    chmodSync(directory, 0o755);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  beforeEach(async () => {
    rmSync(auditFile(), { force: true });
    group = new TestCgroup(ownPath('session'));
    client = new Workload('tcp', [group]);
    port = await client.ask('listen 0 4 127.0.0.1 0 128');
  });
  afterEach(async () => {
    for (const one of running.splice(0).reverse()) await one.kill();
    client.child.kill('SIGKILL');
    await client.exited;
    await group.remove();
    await until('all injectors to go', () => !existsSync(join(directory, 'run')) || injectors().every((pid) => !isRunning(pid)));
    rmSync(join(directory, 'run'), { recursive: true, force: true });
  });

  const refuseConnects = (): ReturnType<typeof validateRule> => validateRule({ target: { cgroup: group.path }, syscalls: ['connect'], error: 'ECONNREFUSED', maxHits: 500, duration: 120_000 });
  const NONE = { expert: false, allowSystem: false };
  async function arm({ chaos }: AttachSource): Promise<void> {
    const rule = refuseConnects();
    if (!rule.ok || chaos === null) throw new Error('no rule, or no way to arm it');
    expect((await chaos.plan(rule.value, NONE)).refusals).toEqual([]);
    await chaos.arm(rule.value, NONE, { dryRun: false, typed: group.path.slice(1) });
  }

  it('is refused without --allow-control, whatever is sent', async () => {
    await serve();
    const source = await attach();
    expect(source).toMatchObject({ chaos: null, can: { setInterval: false, setLevel: false } });
    const rule = refuseConnects();
    if (!rule.ok) throw new Error('no rule');
    const raw = connect(socket());
    running.push({ kill: () => Promise.resolve(raw.destroy()) });
    let heard = '';
    raw.on('data', (chunk: Buffer) => { heard += chunk.toString('latin1'); }).on('error', () => {});
    raw.write(writeToServer({ kind: 'hello', protocol: PROTOCOL, version: 'x', terminal: null }));
    raw.write(writeToServer({ kind: 'interval', ms: 100 }));
    raw.write(writeToServer({ kind: 'level', pane: 'syscalls', level: 'off' }));
    raw.write(writeToServer({ kind: 'chaos', ask: { t: 'ask', id: 1, ask: { what: 'arm', rule: rule.value, permits: NONE, dryRun: false, typed: null, who: null } } }));
    await until('the answer', () => heard.includes('kbtop serve has --allow-control for that'));
    expect(await connects(3)).toBe('0:3');
    await until('the audit', () => audit().filter(({ event }) => event === 'refused').length === 3);
    expect(audit().filter(({ event }) => event === 'refused').map(({ action, who }) => [action, who.uid])).toEqual([['interval 100 ms', 0], ['level syscalls off', 0], ['arm', 0]]);
    expect(injectors()).toEqual([]);
  });

  it('is a user\'s who was named, stands in the audit with that user, and is nobody else\'s', async () => {
    await serve('--mode', '0666', `--allow-control=${ALICE.uid}`, '--pod', 'no-such-pod');
    // Through a process of that user's: the kernel's word about it counts, not that it says it sits where root does.
    const through = async (who: { readonly uid: number; readonly gid: number }): Promise<AttachSource> => (await relayed('setpriv', as(who, '', openKbtop(), 'attach', '--stdio', socket()), 'root')).source;
    const [alice, nobody] = [await through(ALICE), await through(NOBODY)];
    expect(nobody.chaos).toBe(null);
    await arm(alice);
    expect(await connects(3)).toBe(`${REFUSED}:3`);
    const armed = await until('the audit', () => audit().find((one) => (one as { event: string }).event === 'armed'));
    expect(armed.who).toMatchObject({ uid: ALICE.uid, sudoUser: null });
    alice.setInterval(500);
    await until('the interval', () => audit().some(({ event, action, who }) => event === 'asked' && action === 'interval 500 ms' && who.uid === ALICE.uid));
    await alice.chaos?.stopAll('stopped');
    expect(await connects(3)).toBe('0:3');
    await until('both names', () => alice.company.viewers.length === 2);
    expect(alice.company.viewers.map(({ name, uid, control }) => ({ name, uid, control }))).toEqual([{ name: `uid ${ALICE.uid} (root)`, uid: ALICE.uid, control: true }, { name: 'nobody (root)', uid: NOBODY.uid, control: false }]);
  });

  it('ends with the viewer that had it, however that ends', async () => {
    await serve('--allow-control');
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
      const { child, source } = await relayed(KBTOP, ['attach', '--stdio', socket()]);
      await arm(source);
      expect(await connects(3)).toBe(`${REFUSED}:3`);
      child.kill(signal);
      const reason = await until('its end in the audit', () => {
        const last = (audit() as unknown as { event: string; reason: string }[]).findLast(({ event }) => event === 'ended' || event === 'armed');
        return last?.event === 'ended' && last.reason;
      });
      expect(reason).toBe(signal === 'SIGKILL' ? 'stopped' : 'watchdog');
      expect(await connects(3)).toBe('0:3');
    }
  });

  it('ends with kbtop serve, also when that is killed', async () => {
    const serving = await serve('--allow-control');
    const source = await attach();
    await arm(source);
    expect(await connects(2)).toBe(`${REFUSED}:2`);
    serving.child.kill('SIGKILL');
    await until('the injector to go', () => injectors().every((pid) => !isRunning(pid)));
    expect(await connects(3)).toBe('0:3');
    await until('the viewer to know', () => source.trouble !== null);
    expect(source.chaos?.faults.map(({ state }) => state)).toEqual(['ended']);
  });

  it('is stopped for everybody by the panic key', async () => {
    await serve('--allow-control');
    const [one, other] = [await attach(), await attach()];
    await arm(one);
    await until('the other to know', () => other.chaos?.faults.some(({ state }) => state === 'armed'));
    // Leaving ends one's own alone.
    await other.chaos?.stopAll('interrupted');
    expect(await connects(2)).toBe(`${REFUSED}:2`);
    await other.chaos?.stopAll('panic-key');
    expect(await connects(2)).toBe('0:2');
    await until('both to know', () => [one, other].every(({ chaos }) => chaos?.faults.every(({ state }) => state === 'ended')));
    expect(audit().filter(({ action }) => action === 'stop all')).toMatchObject([{ event: 'asked', detail: 'everybody\'s', who: { uid: 0 } }]);
  });
});
