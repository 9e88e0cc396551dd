/** What kbtop itself costs. */
import type { Addon, BpfObject } from '../bpf/addon.ts';
import type { SelfCost } from '../frame/frame.ts';

/** Shorter intervals tell nothing: a process that has just begun is all cost. */
const MIN_MS = 100;

export class SelfMeter {
  #cpu = process.cpuUsage();
  #at = performance.now();
  #runNs = new Map<BpfObject, number>();
  #stopStats: (() => void) | null = null;

  /**
   * Have the kernel time BPF programs, all of them on the machine: that itself costs two clock reads per run.
   * Without it bpfCpuPct is null. Failing is not worth more than a word.
   */
  enableBpf(addon: Addon, debug: (text: string) => void): void {
    try {
      this.#stopStats ??= addon.enableStats();
    } catch (error) {
      debug(`BPF run times are not to be had: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Cost since the last call. @param objects every BPF object that is loaded now */
  read(objects: readonly BpfObject[]): SelfCost {
    const now = performance.now();
    const ms = Math.max(now - this.#at, 1);
    const cpu = process.cpuUsage();
    const usedUs = cpu.user + cpu.system - this.#cpu.user - this.#cpu.system;
    this.#at = now;
    this.#cpu = cpu;
    return { cpuPct: ms < MIN_MS ? null : usedUs / 10 / ms, bpfCpuPct: this.#bpf(objects, ms), rssBytes: process.memoryUsage.rss() };
  }

  #bpf(objects: readonly BpfObject[], ms: number): number | null {
    if (!this.#stopStats) return null;
    let total = 0;
    const now = new Map<BpfObject, number>();
    for (const object of objects) {
      try {
        const { runTimeNs } = object.runStats();
        now.set(object, runTimeNs);
        total += runTimeNs - (this.#runNs.get(object) ?? runTimeNs);
      } catch {
        // still loading: it counts from the next call on
      }
    }
    this.#runNs = now;
    return total / 1e4 / ms;
  }

  close(): void {
    this.#stopStats?.();
    this.#stopStats = null;
  }
}
