/** Cgroups and processes for tests that load real BPF. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Hierarchies, parseProcCgroup } from '../../src/identity/hierarchies.ts';
import { cgroupKey } from '../../src/identity/key.ts';
import { timeScale } from './scale.ts';

/** Whether BPF can be loaded here; tests that need it are skipped by name where not. */
export const canLoadBpf = process.getuid?.() === 0 && existsSync('/sys/kernel/btf/vmlinux');

export const hierarchies = Hierarchies.read();

/** Id of the v1 hierarchy of a controller; null when it is not a v1 hierarchy here. */
export function v1Hierarchy(controller: string): number | null {
  const line = parseProcCgroup(readFileSync('/proc/self/cgroup', 'utf8')).find((one) => one.hierarchy !== 0 && one.controllers.includes(controller));
  return line && hierarchies.mounts(line.hierarchy).length > 0 ? line.hierarchy : null;
}

/** Id of the hierarchy whose cgroups have a controller, 0 for v2; null when none here has it. */
export function hierarchyWith(controller: string): number | null {
  const root = hierarchies.directory(0, '/');
  const v2 = root !== null && existsSync(posix.join(root, 'cgroup.subtree_control')) ? readFileSync(posix.join(root, 'cgroup.subtree_control'), 'utf8') : '';
  return v1Hierarchy(controller) ?? (v2.trim().split(' ').includes(controller) ? 0 : null);
}

/** A cgroup directory that the test made; `using` or remove() takes it away again. */
export class TestCgroup {
  readonly hierarchy: number;
  readonly path: string;
  readonly directory: string;
  readonly key: string;

  /** @param path absolute in its hierarchy; parents are made */
  constructor(path: string, hierarchy = 0) {
    const directory = hierarchies.directory(hierarchy, path);
    if (directory === null) throw new Error(`hierarchy ${hierarchy} is not mounted`);
    mkdirSync(directory, { recursive: true });
    this.hierarchy = hierarchy;
    this.path = path;
    this.directory = directory;
    this.key = cgroupKey(hierarchy, statSync(directory, { bigint: true }).ino);
  }

  read(file: string): string {
    return readFileSync(posix.join(this.directory, file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(posix.join(this.directory, file), text);
  }

  /** Allow it so much CPU time in each period, in microseconds. False where the kernel has no CFS bandwidth control. */
  limitCpu(quotaUs: number, periodUs: number): boolean {
    const has = (file: string): boolean => existsSync(posix.join(this.directory, file));
    if (has('cpu.max')) this.write('cpu.max', `${quotaUs} ${periodUs}`);
    else if (has('cpu.cfs_quota_us')) {
      this.write('cpu.cfs_period_us', `${periodUs}`);
      this.write('cpu.cfs_quota_us', `${quotaUs}`);
    } else return false;
    return true;
  }

  /** Bytes charged to it by the memory controller of its hierarchy. */
  get memoryBytes(): number {
    return Number(this.read(this.hierarchy === 0 ? 'memory.current' : 'memory.usage_in_bytes'));
  }

  /** Processes in it, and below. */
  get pids(): number[] {
    return this.read('cgroup.procs').trim().split('\n').filter(Boolean).map(Number);
  }

  /** End every process in it; a killed init takes the rest of its pid namespace along. */
  kill(): void {
    for (const pid of this.pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  /** Remove it and every parent that is left empty. */
  async remove(): Promise<void> {
    let { path } = this;
    for (let tries = 0; path !== '/' && tries < 200;) {
      try {
        rmdirSync(hierarchies.directory(this.hierarchy, path) ?? '');
        path = posix.dirname(path);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') path = posix.dirname(path);
        else if (path === this.path) {
          // Its last process may not have been reaped yet.
          tries++;
          await sleep(10);
        } else return;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

/** Run a shell script whose process joins the cgroups before its first line. */
export function runIn(groups: readonly TestCgroup[], script: string, environment: Readonly<Record<string, string>> = {}): ChildProcess {
  const join = groups.map((group) => `echo $$ > '${group.directory}/cgroup.procs'`).join('\n');
  return spawn('/bin/sh', ['-c', `set -e\n${join}\nset +e\n${script}`], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...environment } });
}

/** Resolves with the exit code. */
export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else child.once('exit', resolve);
  });
}

/** End a process that the test started, by its own handle. */
export async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await ended(child);
}

/** Resolves with the first line that a process prints. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code} before it printed a line: ${text}`)));
  });
}

/** Call until the result is neither null, undefined nor false; fails after the deadline. */
export async function until<T>(what: string, probe: () => T | null | undefined | false, deadlineMs = 20_000): Promise<T> {
  const deadline = performance.now() + deadlineMs * timeScale;
  for (;;) {
    const value = probe();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await sleep(20);
  }
}

let serial = 0;
/** A cgroup path of this test run's own. */
export function ownPath(name = 'test'): string {
  return `/kbtop-${process.pid}-${++serial}-${name}`;
}

/** Kernel ids of BPF links, programs and maps. */
export interface BpfIds {
  readonly links: number[];
  readonly programs: number[];
  readonly maps: number[];
}

/** Those that a process holds by a file descriptor, as /proc tells: other processes' do not disturb. */
export function bpfIdsOf(pid: number): BpfIds {
  const found = { link: new Set<number>(), prog: new Set<number>(), map: new Set<number>() };
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    let text = '';
    try {
      text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    } catch {
      // closed meanwhile
    }
    for (const [, kind, id] of text.matchAll(/^(link|prog|map)_id:\s*(\d+)$/gm)) found[kind as keyof typeof found].add(Number(id));
  }
  return { links: [...found.link], programs: [...found.prog], maps: [...found.map] };
}
