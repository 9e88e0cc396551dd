/** CLOCK_BOOTTIME, by which faults are armed and end: it goes on while the machine sleeps, so that no fault outlives its time. */
import { readFileSync } from 'node:fs';
import type { Addon } from '../../bpf/addon.ts';

export class BootClock {
  readonly #addon: Pick<Addon, 'monotonicNs'>;
  readonly #readUptime: () => string;
  readonly #now: () => number;

  /** @param readUptime text of /proc/uptime @param now milliseconds since the epoch; both for tests */
  constructor(addon: Pick<Addon, 'monotonicNs'>, readUptime: () => string = () => readFileSync('/proc/uptime', 'utf8'), now: () => number = Date.now) {
    this.#addon = addon;
    this.#readUptime = readUptime;
    this.#now = now;
  }

  /** Never in the future. Exact where the machine has not slept; else late by up to 10 ms, the step of /proc/uptime, which is rounded down. */
  nowNs(): bigint {
    const monotonic = this.#addon.monotonicNs();
    const [, seconds = '0', fraction = '0'] = /^(\d+)\.(\d{1,9}) /.exec(this.#readUptime()) ?? [];
    const uptime = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
    return uptime > monotonic ? uptime : monotonic;
  }

  /** Milliseconds since the epoch of a moment of this clock. */
  epochMs(ns: number | bigint): number {
    return this.#now() - Number(this.nowNs() - BigInt(ns)) / 1e6;
  }
}
