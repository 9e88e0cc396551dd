/** What the addon's tests share: the real addon, its BPF objects, and an oracle of system calls. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Addon, BpfError, BpfObject, OpenOptions } from '../../src/bpf/addon.ts';
import { loadAddon } from '../../src/bpf/load.ts';
import { objectPath } from '../../src/bpf/objects.ts';
import { timeScale } from '../workloads/scale.ts';

/** Why real BPF cannot be used here; null when it can. */
export const missing: string | null =
  process.geteuid?.() !== 0 ? 'no root' : !existsSync('/sys/kernel/btf/vmlinux') ? 'no BTF' : null;
/** For describe.skipIf: skipped by name where there is no root or no BTF. */
export const noBpf = missing !== null;

let loaded: Addon | undefined;
export const addon = (): Addon => (loaded ??= loadAddon());

export const selftest = (name: string): string => objectPath(`selftest/${name}`);

/** getuid(2): a call that Node makes when told to and not otherwise. */
export const GETUID = process.arch === 'arm64' ? 174 : 102;

/** Make exactly n getuid calls. */
export function getuid(n: number): void {
  for (let i = 0; i < n; i++) process.getuid?.();
}

const opened = new Set<BpfObject>();

/** Open a selftest object that watches getuid of one process. */
export function open(name: string, options: OpenOptions = {}, pid = process.pid): BpfObject {
  const watches = name === 'counter' || name === 'stream' || name === 'records' || name === 'nested';
  const globals = watches ? { target_tgid: pid, wanted_nr: GETUID, ...options.globals } : options.globals ?? {};
  const object = addon().open(selftest(name), { ...options, globals });
  opened.add(object);
  return object;
}

export async function openLoaded(name: string, options: OpenOptions = {}, pid = process.pid): Promise<BpfObject> {
  const object = open(name, options, pid);
  await object.load();
  return object;
}

export async function openAttached(name: string, options: OpenOptions = {}, pid = process.pid): Promise<BpfObject> {
  const object = await openLoaded(name, options, pid);
  const refused = object.attach().filter((result) => !result.ok);
  if (refused.length > 0) throw new Error(refused.map((result) => `${result.program}: ${result.reason}`).join('\n'));
  return object;
}

/** For afterEach: a failed test leaves nothing in the kernel. */
export function closeAll(): void {
  for (const object of opened) object.close();
  opened.clear();
}

/** Let go of all objects without closing them, for tests of what happens then. */
export const forget = (): void => opened.clear();

/** Kernel ids that belong to objects of ours; other BPF users may come and go meanwhile. */
export interface Ids {
  readonly links: number[];
  readonly programs: number[];
  readonly maps: number[];
}

export function idsOf(object: BpfObject): Ids {
  const programs = object.programs();
  return {
    links: programs.map((program) => program.linkId).filter((id) => id > 0),
    programs: programs.map((program) => program.id).filter((id) => id > 0),
    maps: object.maps().map((name) => object.map(name).id).filter((id) => id > 0),
  };
}

/** Those of the ids that the kernel still has. */
export function survivors(ids: Ids): Ids {
  const now = addon().kernelIds();
  return {
    links: ids.links.filter((id) => now.links.includes(id)),
    programs: ids.programs.filter((id) => now.programs.includes(id)),
    maps: ids.maps.filter((id) => now.maps.includes(id)),
  };
}

export const NOTHING: Ids = { links: [], programs: [], maps: [] };

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Poll until the check gives something true; fails with what it gave last. */
export async function eventually<T>(check: () => T | Promise<T>, good: (value: T) => boolean, deadlineMs = 20_000): Promise<T> {
  const end = Date.now() + deadlineMs * timeScale;
  for (;;) {
    const value = await check();
    if (good(value)) return value;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${JSON.stringify(value)}`);
    await sleep(20);
  }
}

/** The kernel frees programs and maps some time after their last user went. */
export const gone = (ids: Ids): Promise<Ids> =>
  eventually(() => survivors(ids), (left) => left.links.length + left.programs.length + left.maps.length === 0);

/** The BpfError that a call throws or rejects with. */
export async function failure(call: () => unknown): Promise<BpfError> {
  try {
    await call();
  } catch (error) {
    return error as BpfError;
  }
  throw new Error('it did not fail');
}

/** Run the calling thread on one CPU from now on. */
export function pin(cpus: string): void {
  execFileSync('taskset', ['-pc', cpus, String(process.pid)], { stdio: 'ignore' });
}

export const affinity = (): string =>
  /: (.+)$/m.exec(execFileSync('taskset', ['-pc', String(process.pid)], { encoding: 'utf8' }))?.[1] ?? '0';

/** A helper process of test/native/children/, talking JSON lines. */
export interface Child {
  readonly process: ChildProcess;
  /** The next line it prints. */
  next(): Promise<Record<string, unknown>>;
  send(line: string): void;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>;
}

export function child(script: string, args: readonly string[] = [], options: { prefix?: readonly string[]; env?: NodeJS.ProcessEnv } = {}): Child {
  const [command = process.execPath, ...rest] = [...(options.prefix ?? []), process.execPath, '--no-warnings', join(import.meta.dirname, 'children', script), ...args];
  const started = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
  let stderr = '';
  started.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>((resolve, reject) => {
    started.on('error', reject);
    started.on('close', (code, signal) => resolve({ code, signal, stderr }));
  });
  return {
    process: started,
    exited,
    send: (line) => started.stdin.write(`${line}\n`),
    next: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${script} ended: ${JSON.stringify(await exited)}`);
      return JSON.parse(value) as Record<string, unknown>;
    },
  };
}
