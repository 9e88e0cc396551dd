/**
 * The oracle: which of the calls that match a rule are hit. The BPF program does the same with u32 and u64 arithmetic,
 * and test/chaos/vectors.json holds both to it.
 *
 * A call MATCHES a rule when the rule is armed (its deadline is set and not past), the task is in the target and not
 * excluded, the call is one of the rule's, and its arguments, command and user satisfy `where`. Only such calls are
 * counted; all else leaves no trace. For each of them, in this order, which is that of the kernel's should_fail_ex():
 *
 *   1. n = ++matched            u64, one atomic counter per rule (__sync_fetch_and_add(&matched, 1) + 1): 1, 2, 3, ...
 *   2. n <= skip                not hit
 *   3. last != 0 && n > last    not hit; 0 stands for no last call
 *   4. every > 1 && (n - skip - 1) % every != 0
 *                               not hit; so call number skip + 1 is the first one that is
 *   5. (mix(key + n * 0x9e3779b97f4a7c15) >> 32) >= p32
 *                               not hit. All in u64 that wraps; compared as u64, since p32 = 2^32 means always
 *   6. h = ++hits               u64, the second atomic counter: 1, 2, 3, ...
 *   7. h > maxHits              not hit: the budget is spent, and hits is only a number above maxHits from now on
 *   8. hit
 *
 * mix() is the finalizer of splitmix64: two multiplications and three shifts. User space works out key = mix(seed) and
 * p32 = round(probability * 2^32) once. The key is mixed so that neighbouring seeds share no stretch of the sequence,
 * which they would if the seed itself were added: n * gamma wraps.
 *
 * The number n is that of the call in the order in which the kernel counted it, so a rule with a seed hits the same
 * numbers in every run; which thread makes call number n is the scheduler's business. In a dry run everything is the
 * same but the effect.
 */

/** What the kernel side needs of a rule, as it stands in its map. */
export interface Limits {
  readonly skip: bigint;
  /** 0: none. */
  readonly last: bigint;
  /** 0 and 1: every call. */
  readonly every: bigint;
  /** 0..2^32; 2^32 is always. */
  readonly p32: bigint;
  /** mix(seed). */
  readonly key: bigint;
  readonly maxHits: bigint;
}

/** The fields of a rule that decide. */
export interface Counting {
  readonly probability: number;
  readonly skip: number;
  readonly every: number;
  readonly last: number | null;
  readonly maxHits: number;
  readonly seed: number;
}

const U64 = (1n << 64n) - 1n;
const GAMMA = 0x9e3779b97f4a7c15n;
const ALWAYS = 2 ** 32;

/** splitmix64's finalizer over a u64. */
export function mix(value: bigint): bigint {
  let z = value & U64;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & U64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & U64;
  return z ^ (z >> 31n);
}

/** Probability as a threshold for 32 random bits. */
export function probability32(probability: number): bigint {
  return BigInt(Math.round(Math.min(Math.max(probability, 0), 1) * ALWAYS));
}

export function limitsOf({ probability, skip, every, last, maxHits, seed }: Counting): Limits {
  return { skip: BigInt(skip), last: BigInt(last ?? 0), every: BigInt(every), p32: probability32(probability), key: mix(BigInt(seed)), maxHits: BigInt(maxHits) };
}

/** Steps 2 to 5 for matching call number n (1, 2, ...): would it be hit, were there no budget? */
export function isChosen({ skip, last, every, p32, key }: Limits, n: bigint): boolean {
  if (n <= skip) return false;
  if (last !== 0n && n > last) return false;
  if (every > 1n && (n - skip - 1n) % every !== 0n) return false;
  return mix(key + n * GAMMA) >> 32n < p32;
}

/** One rule's counters: what the kernel keeps in its map. */
export class Oracle {
  readonly #limits: Limits;
  #matched = 0n;
  #hits = 0n;

  constructor(counting: Counting) {
    this.#limits = limitsOf(counting);
  }

  /** The next matching call: is it hit? */
  next(): boolean {
    this.#matched++;
    if (!isChosen(this.#limits, this.#matched)) return false;
    this.#hits++;
    return this.#hits <= this.#limits.maxHits;
  }
}

/** Numbers (1, 2, ...) of the calls that are hit among the first `calls` that match. */
export function hitsAmong(counting: Counting, calls: number): number[] {
  const oracle = new Oracle(counting);
  return Array.from({ length: calls }, (_, i) => i + 1).filter(() => oracle.next());
}

/** Share of all matching calls that are hit while the budget lasts, 0..1; skip and last aside. */
export function hitShare({ probability, every }: Pick<Counting, 'probability' | 'every'>): number {
  return probability / Math.max(1, every);
}
