/** How much CPU time a tracer adds to a system call or a context switch: interleaved with and without it, medians of the differences. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildWorkload } from '../test/workloads/build.ts';
import { median } from './bench.ts';

/** Something that can be switched on and off, and costs. */
export interface Variant {
  readonly name: string;
  /** @param run keeps the workload busy for some milliseconds */
  on(run: () => Promise<unknown>): Promise<void>;
  off(): Promise<void>;
}

/** What the workload does again and again, and how often in one chunk. */
const CHUNK = { syscall: 200_000, error: 200_000, switch: 10_000, open: 50_000, tcp: 2_000 } as const;
export type Work = keyof typeof CHUNK;

/** The workload, pinned to the last CPU. */
export class Loop {
  #child: ChildProcess;
  #lines: AsyncIterator<string>;
  #n: number;

  constructor(what: Work) {
    this.#child = spawn(buildWorkload('loop'), [what, String(cpus().length - 1)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    this.#n = CHUNK[what];
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** CPU nanoseconds per call, switch, open or connection: the least of five chunks. @param n of them (round trips for switches) per chunk */
  async measure(n: number = this.#n): Promise<number> {
    this.#child.stdin?.write(`${n}\n`);
    const line = await this.#lines.next();
    if (line.done) throw new Error('the workload ended');
    return Number(line.value);
  }

  close(): void {
    this.#child.kill();
  }
}

/** A command as a variant, e.g. a libbpf-tool: on for as long as it runs. */
export function command(name: string, file: string, args: readonly string[], warmupMs = 1500): Variant {
  let child: ChildProcess | null = null;
  return {
    name,
    async on() {
      child = spawn(file, args, { stdio: 'ignore' });
      const failed = new Promise<never>((_, reject) => {
        child?.once('error', () => reject(new Error(`${file} is not installed`)));
        child?.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
      });
      failed.catch(() => {});
      await Promise.race([sleep(warmupMs), failed]);
    },
    async off() {
      if (!child) return;
      const gone = new Promise((resolve) => child?.once('exit', resolve));
      child.kill('SIGINT');
      await gone;
      await sleep(200);
    },
  };
}

export interface Overhead {
  readonly name: string;
  /** Median nanoseconds added; null when it could not run. */
  readonly ns: number | null;
  readonly note: string;
}

/** Nanoseconds that each variant adds to one call or switch. */
export async function overheads(what: Work, variants: readonly Variant[], rounds: number): Promise<Overhead[]> {
  const loop = new Loop(what);
  const added = variants.map((): number[] => []);
  const failures = variants.map((): string | null => null);
  // Two processes leave more to chance than one.
  const repeats = what === 'switch' ? 4 : 1;
  const measure = async (): Promise<number> => {
    let least = Infinity;
    for (let i = 0; i < repeats; i++) least = Math.min(least, await loop.measure());
    return least;
  };
  try {
    await loop.measure();
    for (let round = 0; round < rounds; round++) {
      for (const [i, variant] of variants.entries()) {
        if (failures[i] !== null) continue;
        try {
          const before = await measure();
          await variant.on(() => loop.measure(2000));
          const during = await measure();
          await variant.off();
          const after = await measure();
          added[i]?.push(during - (before + after) / 2);
        } catch (error) {
          failures[i] = error instanceof Error ? error.message : String(error);
        }
      }
    }
  } finally {
    loop.close();
  }
  return variants.map((variant, i) => {
    const all = [...(added[i] ?? [])].sort((a, b) => a - b);
    const spread = all.length > 0 ? `${rounds} rounds, ${(all[0] ?? 0).toFixed(0)} to ${(all.at(-1) ?? 0).toFixed(0)} ns` : '';
    return { name: variant.name, ns: failures[i] === null && all.length > 0 ? median(all) : null, note: failures[i] ?? spread };
  });
}
