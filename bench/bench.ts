/** What a benchmark file gives to the runner, and the arithmetic they share. */

/** One measured comparison. Numbers are in the unit that stands in the name. */
export interface BenchRow {
  readonly name: string;
  readonly ours: number | null;
  /** The peer measured in the same run; null where there is none. */
  readonly peer: number | null;
  /** ours / peer, or ours itself where the aim is absolute; null when it could not be measured. */
  readonly ratio: number | null;
  /** In words, e.g. "<= 0.70". */
  readonly aim: string;
  readonly met?: boolean | null;
  /** Peer's name, sample sizes, or why there is no number. */
  readonly note: string;
}

/** A bench/*.ts file exports this. */
export interface Bench {
  run(): Promise<readonly BenchRow[]>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
