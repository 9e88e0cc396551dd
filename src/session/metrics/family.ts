/**
 * Metric families with a limit on their series. Whoever comes once it is reached is counted under container="_other", so
 * that sums stay right; what was counted there stays there, so that no counter falls when somebody gets a series.
 */
import type { Latency } from '../../frame/frame.ts';
import { type MetricType, type TextFormat, boundText, braced, familyHead, numberText, sampleName } from '../../output/exposition.ts';
import { LE_US, boundOf } from '../../output/frame-metrics.ts';
import type { Identity } from './identity.ts';

/** What a family does with one kind of value. */
export interface Kind<Value, Input> {
  readonly type: MetricType;
  /** Series of a scraper that one value is: a bucket is one, too. */
  readonly series: number;
  /** Whether a count of nothing begins a series. Default: no, since most calls of most containers never fail. */
  readonly fromZero?: boolean;
  make(): Value;
  add(to: Value, input: Input): void;
  merge(to: Value, from: Value): void;
  /** The larger is the worthier of a series. */
  weight(value: Value): number;
  /** What is no count begins anew with every Frame: forget it. Absent: it goes on. */
  reset?(value: Value): void;
  lines(name: string, labels: string, value: Value): string;
}

interface Num { value: number }
interface Buckets { readonly counts: Float64Array; sumUs: number }

const numberLine = (name: string, labels: string, { value }: Num): string => `${name}${braced(labels)} ${numberText(value)}\n`;

export const COUNTER: Kind<Num, number> = {
  type: 'counter', series: 1,
  make: () => ({ value: 0 }),
  add: (to, n) => { to.value += n; },
  merge: (to, from) => { to.value += from.value; },
  weight: ({ value }) => value,
  lines: numberLine,
};

const gauge = (combine: (a: number, b: number) => number): Kind<Num, number> => ({
  type: 'gauge', series: 1,
  make: () => ({ value: Number.NaN }),
  add: (to, n) => { to.value = Number.isNaN(to.value) ? n : combine(to.value, n); },
  merge: (to, from) => { to.value = Number.isNaN(to.value) ? from.value : combine(to.value, from.value); },
  weight: ({ value }) => value,
  reset: (value) => { value.value = Number.NaN; },
  lines: numberLine,
});

export const GAUGE = { sum: gauge((a, b) => a + b), max: gauge(Math.max) } as const;
export const INFO: Kind<Num, number> = { ...GAUGE.max, type: 'info' };

const BOUNDS = [...LE_US.map((us) => boundText(us / 1e6)), '+Inf'];

export const HISTOGRAM: Kind<Buckets, Latency> = {
  type: 'histogram', series: BOUNDS.length + 2,
  make: () => ({ counts: new Float64Array(BOUNDS.length), sumUs: 0 }),
  // Levels change over time, so that what was timed as one in N has to be worth N, or quiet times would outvote busy ones.
  add: (to, { buckets, sumUs, sampled }) => {
    for (const [lowerUs, count] of buckets) {
      const index = boundOf(lowerUs);
      to.counts[index] = (to.counts[index] ?? 0) + count * sampled;
    }
    to.sumUs += sumUs * sampled;
  },
  merge: (to, from) => {
    for (const [i, count] of from.counts.entries()) to.counts[i] = (to.counts[i] ?? 0) + count;
    to.sumUs += from.sumUs;
  },
  weight: ({ counts }) => counts.reduce((a, b) => a + b, 0),
  lines: (name, labels, { counts, sumUs }) => {
    const bucket = `${name}_bucket{${labels}${labels === '' ? '' : ','}le="`;
    let text = '', below = 0;
    for (let i = 0; i < BOUNDS.length; i++) {
      below += counts[i] ?? 0;
      text += `${bucket}${BOUNDS[i]}"} ${below}\n`;
    }
    return `${text}${name}_count${braced(labels)} ${below}\n${name}_sum${braced(labels)} ${numberText(sumUs / 1e6)}\n`;
  },
};

const joined = (identity: string, labels: string): string => (identity === '' ? labels : labels === '' ? identity : `${identity},${labels}`);

/** `a="b",c="d"` → `a="_other",c="_other"`: when even what is told apart besides the container is too much. */
const blurred = (labels: string): string => labels.replace(/="(?:[^"\\]|\\.)*"/gs, '="_other"');

/** A map in a map, by who and by the labels that tell the rows of one apart. */
type Series<Value> = Map<Identity, Map<string, Value>>;

export class Family<Value, Input> {
  readonly name: string;
  readonly #help: string;
  readonly #kind: Kind<Value, Input>;
  /** Values that may have a series of their own, and that _other may have by further labels. */
  readonly #mostOwn: number;
  readonly #mostOthers: number;
  readonly #own: Series<Value> = new Map();
  #ownCount = 0;
  readonly #others = new Map<string, Value>();
  /** Of this Frame, whoever has no series yet. */
  readonly #new: Series<Value> = new Map();
  #newCount = 0;
  #foldedNow = 0;

  /** @param name without suffixes @param most series that a scraper will see at the most */
  constructor(name: string, help: string, kind: Kind<Value, Input>, most: number) {
    this.name = name;
    this.#help = help;
    this.#kind = kind;
    const values = Math.floor(most / kind.series);
    this.#mostOthers = Math.max(1, Math.floor(values / 4));
    this.#mostOwn = Math.max(0, values - this.#mostOthers);
  }

  get type(): MetricType {
    return this.#kind.type;
  }

  /** Label sets without a series of their own in the last Frame. */
  get folded(): number {
    return this.#foldedNow;
  }

  add(identity: Identity, labels: string, input: Input): void {
    const value = this.#own.get(identity)?.get(labels);
    if (value !== undefined) return this.#kind.add(value, input);
    if (this.#kind.type === 'counter' && input === 0 && !this.#kind.fromZero) return;
    let of = this.#new.get(identity);
    if (!of) this.#new.set(identity, of = new Map());
    let fresh = of.get(labels);
    if (fresh === undefined) {
      of.set(labels, fresh = this.#kind.make());
      this.#newCount++;
    }
    this.#kind.add(fresh, input);
  }

  /** Before a Frame. */
  begin(): void {
    const { reset } = this.#kind;
    if (!reset) return;
    for (const of of this.#own.values()) for (const value of of.values()) reset(value);
    this.#others.clear();
  }

  /**
   * After a Frame: who is new gets a series, the largest first, or goes to the others. Who has one keeps it.
   * @param other labels of the others
   */
  settle(other: string): void {
    if (this.#kind.reset) this.#forgetSilent();
    const room = Math.max(0, this.#mostOwn - this.#ownCount);
    this.#foldedNow = Math.max(0, this.#newCount - room);
    if (this.#newCount === 0) return;
    const all = Array.from(this.#new, ([identity, of]) => Array.from(of, ([labels, value]) => ({ identity, labels, value }))).flat();
    if (room > 0 && room < all.length) all.sort((a, b) => this.#kind.weight(b.value) - this.#kind.weight(a.value));
    all.forEach(({ identity, labels, value }, i) => (i < room ? this.#admit(identity, labels, value) : this.#fold(other, labels, value)));
    this.#new.clear();
    this.#newCount = 0;
  }

  /** Values that this Frame has not told. */
  #forgetSilent(): void {
    for (const [identity, of] of this.#own) {
      for (const [labels, value] of of) {
        if (!Number.isNaN(this.#kind.weight(value))) continue;
        of.delete(labels);
        identity.series--;
        this.#ownCount--;
      }
      if (of.size === 0) this.#own.delete(identity);
    }
  }

  #admit(identity: Identity, labels: string, value: Value): void {
    let of = this.#own.get(identity);
    if (!of) this.#own.set(identity, of = new Map());
    of.set(labels, value);
    identity.series++;
    this.#ownCount++;
  }

  #fold(other: string, labels: string, value: Value): void {
    const whole = joined(other, labels);
    const key = this.#others.has(whole) || this.#others.size < this.#mostOthers - 1 ? whole : joined(other, blurred(labels));
    const sum = this.#others.get(key);
    if (sum === undefined) this.#others.set(key, value);
    else this.#kind.merge(sum, value);
  }

  /** Let go of somebody's series. */
  drop(identity: Identity): void {
    const of = this.#own.get(identity);
    if (!of) return;
    this.#own.delete(identity);
    this.#ownCount -= of.size;
    identity.series -= of.size;
  }

  /** Head and samples; empty without any. */
  text(format: TextFormat): string {
    const { lines, type } = this.#kind;
    const name = sampleName(this.name, type);
    let text = '';
    for (const [identity, of] of this.#own) for (const [labels, value] of of) text += lines(name, joined(identity.labels, labels), value);
    for (const [labels, value] of this.#others) text += lines(name, labels, value);
    return text === '' ? '' : familyHead(this.name, type, this.#help, format) + text;
  }
}
