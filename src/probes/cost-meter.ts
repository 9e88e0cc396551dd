/**
 * What a call really costs on this machine, for the level policy.
 *
 * The kernel can time BPF programs (BPF_ENABLE_STATS), but while it does, every call costs about twice as much
 * (measured: 96 -> 300 ns at level count, 285 -> 540 ns at latency), so it is asked for short windows only, far apart,
 * and only when the cost is anywhere near the budget; in between, nanoseconds per call times rate. What the window
 * tells leaves out the way into the program and contains the kernel's clock reads; the two are about the same
 * (measured: 91, 200 and 282 ns told, 96, 190 and 285 ns added to a call, at the three levels).
 */
import type { Addon, BpfObject } from '../bpf/addon.ts';

const WINDOW_MS = 20;
const PERIOD_MS = 30_000;
/** Fewer program runs than this in a window say nothing. */
const MIN_RUNS = 200;

export class CostMeter {
  #addon: Addon;
  #object: BpfObject;
  #last = -Infinity;
  #timer: NodeJS.Timeout | null = null;
  #stop: (() => void) | null = null;

  constructor(addon: Addon, object: BpfObject) {
    this.#addon = addon;
    this.#object = object;
  }

  /**
   * Open a window, unless the last one was not long ago.
   * @param told is given the nanoseconds per program run when the window closes
   * @param debug receives the reason when the kernel cannot tell
   */
  measure(told: (nsPerRun: number) => void, debug: (text: string) => void): void {
    const now = performance.now();
    if (this.#timer || now - this.#last < PERIOD_MS) return;
    this.#last = now;
    const failed = (error: unknown): void => {
      this.close();
      debug(`cannot measure what BPF programs cost: ${error instanceof Error ? error.message : String(error)}`);
    };
    try {
      this.#stop = this.#addon.enableStats();
      const before = this.#object.runStats();
      this.#timer = setTimeout(() => {
        try {
          const after = this.#object.runStats();
          this.close();
          const runs = after.runCount - before.runCount;
          if (runs >= MIN_RUNS) told((after.runTimeNs - before.runTimeNs) / runs);
        } catch (error) {
          failed(error);
        }
      }, WINDOW_MS);
      this.#timer.unref();
    } catch (error) {
      failed(error);
    }
  }

  /** The level has changed: what is known may not hold. Measure again soon. */
  invalidate(): void {
    this.close();
    this.#last = Math.min(this.#last, performance.now() - PERIOD_MS + 1000);
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stop?.();
    this.#stop = null;
  }
}
