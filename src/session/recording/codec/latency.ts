/**
 * A Latency (src/frame/frame.ts) as what it was made from: bucket counts, sum and maximum. Percentiles come from them
 * again, by src/frame/histogram.ts. Sum and maximum are told as the place within what the buckets leave possible.
 */
import type { Latency } from '../../../frame/frame.ts';
import { HIST_BOUNDS_NS, HIST_BUCKETS, bucketOf, latencyOf } from '../../../frame/histogram.ts';
import { type Coder, DamagedError, type Models, newModels, symbol } from './coder.ts';
import { contextOf, IntegerModel, lengthOf, rawWide } from './integers.ts';

const KEYS = ['count', 'sumUs', 'p50Us', 'p95Us', 'p99Us', 'maxUs', 'buckets', 'sampled'] as const;
/** Above it, arithmetic on sums would not be exact. */
const MAX_SUM_NS = 2 ** 46;
const MAX_COUNT = 2 ** 40;
const PART_BITS = 4, PARTS = 1 << PART_BITS;

/** What a Latency was made from; counts as pairs of bucket and samples, ascending. */
export interface Parts {
  readonly pairs: readonly number[];
  readonly total: number;
  readonly sumNs: number;
  readonly maxNs: number | null;
  readonly sampled: number;
}

/** How the same thing's histograms looked until now. */
export class LatencyPast {
  /** By bucket: how often it had samples lately, 0..255; and samples it had last. */
  readonly often = new Uint8Array(HIST_BUCKETS);
  readonly last = new Uint8Array(HIST_BUCKETS);
  first = -1;
}

const scratch = new Float64Array(HIST_BUCKETS);

function build({ pairs, sumNs, maxNs, sampled }: Parts): Latency {
  for (let i = 0; i < pairs.length; i += 2) scratch[pairs[i] as number] = pairs[i + 1] as number;
  const latency = latencyOf(scratch, sumNs, maxNs, sampled);
  for (let i = 0; i < pairs.length; i += 2) scratch[pairs[i] as number] = 0;
  return latency;
}

const whole = (value: unknown, most: number): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most && !Object.is(value, -0);

/** @returns null for anything that build() would not give back exactly */
export function partsOf(value: object): Parts | null {
  let at = 0;
  for (const key in value) if (key !== KEYS[at++]) return null;
  if (at !== KEYS.length) return null;
  const { count, sumUs, maxUs, buckets, sampled, p50Us, p95Us, p99Us } = value as Latency;
  if (!whole(count, MAX_COUNT) || count === 0 || !whole(sampled, MAX_COUNT) || typeof sumUs !== 'number' || !Array.isArray(buckets)) return null;
  const sumNs = Math.round(sumUs * 1000), maxNs = maxUs === null ? null : Math.round(maxUs * 1000);
  if (!whole(sumNs, MAX_SUM_NS) || (maxNs !== null && !whole(maxNs, MAX_SUM_NS))) return null;
  const pairs: number[] = [];
  let total = 0, before = -1;
  for (const pair of buckets as readonly unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'number' || !whole(pair[1], MAX_COUNT)) return null;
    const bucket = bucketOf(pair[0]);
    if (bucket <= before || pair[1] === 0 || (HIST_BOUNDS_NS[bucket] as number) / 1000 !== pair[0]) return null;
    pairs.push(before = bucket, pair[1]);
    total += pair[1];
  }
  if (total !== count) return null;
  const parts: Parts = { pairs, total, sumNs, maxNs, sampled };
  const built = build(parts);
  return built.sumUs === sumUs && built.maxUs === maxUs && built.p50Us === p50Us && built.p95Us === p95Us && built.p99Us === p99Us ? parts : null;
}

const lower = (bucket: number): number => HIST_BOUNDS_NS[bucket] as number;
const width = (bucket: number): number => (HIST_BOUNDS_NS[bucket + 1] as number) - lower(bucket);

const GAPS = 4, LEVELS = 4;

export class LatencyModel {
  readonly #first = new IntegerModel();
  readonly #samples = new IntegerModel();
  readonly #odd = new IntegerModel();
  /** By how often the bucket, and its neighbours, had samples; how far the last one was; how many samples are left. */
  readonly #filled: Models = newModels(LEVELS * LEVELS * GAPS * 4);
  readonly #isLast: Models = newModels(64);
  readonly #hasMax: Models = newModels(1);
  readonly #inside: Models = newModels(2);
  readonly #max: Models = newModels(HIST_BUCKETS * 8);
  readonly #sum: Models = newModels(8 * PARTS);
  #lastFirst = 0;

  /** @param total samples, at least 1 @param sampled both are known to the two sides already */
  code(coder: Coder, past: LatencyPast, total: number, sampled: number, parts: Parts | null): Latency {
    const pairs = this.#buckets(coder, past, total, parts?.pairs ?? []);
    const maxNs = this.#maximum(coder, pairs.at(-2) as number, parts?.maxNs ?? null);
    const sumNs = this.#total(coder, pairs, total, maxNs, parts?.sumNs ?? 0);
    if (!coder.encoding) return build({ pairs, total, sumNs, maxNs, sampled });
    return null as unknown as Latency;
  }

  #buckets(coder: Coder, past: LatencyPast, total: number, known: readonly number[]): readonly number[] {
    const { often, last } = past;
    const guess = past.first >= 0 ? past.first : this.#lastFirst;
    let bucket = guess + this.#first.signed(coder, (known[0] ?? 0) - guess, past.first >= 0 ? 0 : 1);
    if (bucket < 0 || bucket >= HIST_BUCKETS) throw new DamagedError('it has a histogram that cannot be');
    past.first = this.#lastFirst = bucket;
    for (let b = 0; b < bucket; b++) often[b] = (often[b] as number) - ((often[b] as number) >> 2);
    const pairs: number[] = [];
    for (let left = total, at = 0; ; at += 2) {
      const samples = this.#count(coder, past, bucket, left, known[at + 1] ?? 0);
      pairs.push(bucket, samples);
      often[bucket] = (often[bucket] as number) + ((255 - (often[bucket] as number)) >> 2);
      last[bucket] = Math.min(255, samples);
      left -= samples;
      if (left === 0) break;
      bucket = this.#next(coder, past, bucket, left, known[at + 2] ?? 0);
    }
    for (let b = bucket + 1; b < HIST_BUCKETS; b++) if (often[b] !== 0) often[b] = (often[b] as number) - ((often[b] as number) >> 2);
    return pairs;
  }

  #count(coder: Coder, { often, last }: LatencyPast, bucket: number, left: number, known: number): number {
    if (left === 1 || bucket === HIST_BUCKETS - 1) return left;
    const after = Math.max(often[bucket + 1] as number, often[bucket + 2] ?? 0, often[bucket + 3] ?? 0) >> 6;
    const isLast = coder.bit(this.#isLast, (contextOf(left) << 3) | (after << 1) | (last[bucket] as number > 0 ? 1 : 0), known === left ? 1 : 0);
    if (isLast === 1) return left;
    const samples = 1 + this.#samples.unsigned(coder, known - 1, contextOf(last[bucket] as number));
    if (samples >= left) throw new DamagedError('it has a histogram that cannot be');
    return samples;
  }

  /** The next bucket with samples. */
  #next(coder: Coder, { often, last }: LatencyPast, before: number, left: number, known: number): number {
    const few = Math.min(3, left - 1);
    for (let bucket = before + 1; bucket < HIST_BUCKETS - 1; bucket++) {
      const own = (often[bucket] as number) >> 6, near = Math.max(often[bucket - 1] as number, often[bucket + 1] as number) >> 6;
      const gap = Math.min(GAPS - 1, bucket - before - 1);
      if (coder.bit(this.#filled, (((own * LEVELS + near) * GAPS) + gap) * 4 + few, bucket === known ? 1 : 0) === 1) return bucket;
      if (often[bucket] !== 0) {
        often[bucket] = (often[bucket] as number) - ((often[bucket] as number) >> 2);
        last[bucket] = 0;
      }
    }
    return HIST_BUCKETS - 1;
  }

  #maximum(coder: Coder, bucket: number, known: number | null): number | null {
    if (coder.bit(this.#hasMax, 0, known === null ? 0 : 1) === 0) return null;
    // Widths are powers of two, 64 at least.
    const bits = lengthOf(width(bucket)) - 1, above = (known ?? 0) - lower(bucket);
    if (coder.bit(this.#inside, 0, above >= 0 && above < 2 ** bits ? 1 : 0) === 0) return this.#odd.unsigned(coder, known ?? 0, 0);
    const below = bits - 3, scale = 2 ** below;
    const part = symbol(coder, this.#max, bucket * 8, 3, coder.encoding ? Math.floor(above / scale) : 0);
    return lower(bucket) + part * scale + rawWide(coder, above - part * scale, below);
  }

  #total(coder: Coder, pairs: readonly number[], total: number, maxNs: number | null, known: number): number {
    let least = 0, spread = 0;
    for (let i = 0; i < pairs.length; i += 2) {
      const samples = pairs[i + 1] as number;
      least += lower(pairs[i] as number) * samples;
      spread += width(pairs[i] as number) * samples;
    }
    if (maxNs !== null) {
      const bucket = pairs.at(-2) as number;
      least += maxNs - lower(bucket);
      spread -= width(bucket);
    }
    const above = known - least;
    if (coder.bit(this.#inside, 1, above >= 0 && above <= spread ? 1 : 0) === 0) return this.#odd.unsigned(coder, known, 1);
    if (spread === 0) return least;
    const size = (spread + 1) / PARTS;
    const part = symbol(coder, this.#sum, Math.min(7, total - 1) * PARTS, PART_BITS, coder.encoding ? Math.floor(above / size) : 0);
    const base = Math.ceil(part * size);
    return least + base + rawWide(coder, above - base, lengthOf(Math.ceil(size)));
  }
}
