/** Shares of a CPU. */

/**
 * CPU time as a share of an interval, 100 being one CPU, in thousandths: 10 us of a second. What lies below is the scheduler's
 * noise, and would be two thirds of a recording's digits.
 */
export function percent(usedNs: number, elapsedNs: number): number {
  return Math.round((usedNs / elapsedNs) * 100_000) / 1000;
}
