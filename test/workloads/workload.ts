/** Runs workloads as children that take commands (workload.h). */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildWorkload } from './build.ts';
import type { TestCgroup } from './cgroup.ts';

/** A running workload: one line in, one line out. */
export class Workload {
  readonly child: ChildProcess;
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  #ended: Error | null = null;
  readonly exited: Promise<number | null>;

  /** @param groups joined before the first command @param wrapper e.g. ['unshare', '--net'] */
  constructor(name: string, groups: readonly TestCgroup[] = [], wrapper: readonly string[] = []) {
    const argv = [...wrapper, buildWorkload(name), ...groups.map((group) => join(group.directory, 'cgroup.procs'))];
    this.child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdin?.on('error', () => {});
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => this.#waiting.shift()?.resolve(line));
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.#ended = new Error(`workload ${name} has ended (${signal ?? code})`);
        for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
        resolve(code);
      });
    });
  }

  /** Process id; of the wrapper's child the workload tells its own, see `pid` of workload.h. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Send a command; resolves with its answer. */
  ask(command: string): Promise<string> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.child.stdin?.write(`${command}\n`);
    });
  }

  /** Let it end by itself. */
  async end(): Promise<void> {
    this.child.stdin?.end();
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === null) this.child.kill('SIGKILL');
    await this.exited;
  }
}
