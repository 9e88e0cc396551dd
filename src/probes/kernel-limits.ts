/** What map layouts depend on: the kernel's version and the number of CPUs. */
import { release } from 'node:os';

/**
 * Whether the kernel is this version or later. v6.1 brought the BPF memory allocator: before it, hash maps without
 * preallocation warn, and may deadlock, in tracing programs. v5.11 brought task storage for them.
 * @param running e.g. "6.18.44-cloud"
 */
export function kernelAtLeast(major: number, minor: number, running: string = release()): boolean {
  const match = /^(\d+)\.(\d+)/.exec(running);
  const has = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)] as const;
  return has[0] > major || (has[0] === major && has[1] >= minor);
}

/** @throws Error on kernels whose tracing programs have no task storage */
export function requireTaskStorage(): void {
  if (!kernelAtLeast(5, 11)) throw new Error(`needs Linux 5.11 or later (BPF task storage in tracing programs), this is ${release()}`);
}

const MAX_SHARDS = 8;

/**
 * Over how many copies a histogram is spread. A copy per CPU, with no atomics, up to eight; beyond that CPUs share
 * copies, since a per-CPU map takes entries x CPUs of memory: 900 MB for 1000 histograms on 1000 CPUs.
 */
export function shardsFor(cpus: number): number {
  return Math.min(MAX_SHARDS, 2 ** Math.ceil(Math.log2(Math.max(1, cpus))));
}
