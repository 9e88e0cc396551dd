/**
 * Metric families with a limit on their series. Whoever comes once it is reached is counted under container="_other", so
 * that sums stay right; what was counted there stays there, so that no counter falls when somebody gets a series. From
 * time to time those who have become much larger than some that have a series take their places.
 */
import type { Latency } from '../../frame/frame.ts';
import { type MetricType, type TextFormat, braced, familyHead, numberText, sampleName } from '../../output/exposition.ts';
import { LE_TEXT, boundOf } from '../../output/frame-metrics.ts';
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
  /** What an input adds to it. */
  worth(input: Input): number;
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
  worth: (n) => n,
  lines: numberLine,
};

const gauge = (combine: (a: number, b: number) => number): Kind<Num, number> => ({
  type: 'gauge', series: 1,
  make: () => ({ value: Number.NaN }),
  add: (to, n) => { to.value = Number.isNaN(to.value) ? n : combine(to.value, n); },
  merge: (to, from) => { to.value = Number.isNaN(to.value) ? from.value : combine(to.value, from.value); },
  weight: ({ value }) => value,
  worth: (n) => n,
  reset: (value) => { value.value = Number.NaN; },
  lines: numberLine,
});

export const GAUGE = { sum: gauge((a, b) => a + b), max: gauge(Math.max) } as const;
export const INFO: Kind<Num, number> = { ...GAUGE.max, type: 'info' };

export const HISTOGRAM: Kind<Buckets, Latency> = {
  type: 'histogram', series: LE_TEXT.length + 2,
  make: () => ({ counts: new Float64Array(LE_TEXT.length), sumUs: 0 }),
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
  worth: ({ count, sampled }) => count * sampled,
  lines: (name, labels, { counts, sumUs }) => {
    const bucket = `${name}_bucket{${labels}${labels === '' ? '' : ','}le="`;
    let text = '', below = 0;
    for (let i = 0; i < LE_TEXT.length; i++) {
      below += counts[i] ?? 0;
      text += `${bucket}${LE_TEXT[i]}"} ${below}\n`;
    }
    return `${text}${name}_count${braced(labels)} ${below}\n${name}_sum${braced(labels)} ${numberText(sumUs / 1e6)}\n`;
  },
};

const joined = (identity: string, labels: string): string => (identity === '' ? labels : labels === '' ? identity : `${identity},${labels}`);

/** `a="b",c="d"` → `a="_other",c="_other"`: when even what is told apart besides the container is too much. */
const blurred = (labels: string): string => labels.replace(/="(?:[^"\\]|\\.)*"/gs, '="_other"');

/** So many Frames lie between two looks at who is worth a series. */
const CENSUS_FRAMES = 10;
/** Whoever takes a place must be so many times as large as who has it: places that change hands make series of no use. */
const WORTHIER = 4;
/** The share of places that may change hands at once. */
const SHARE = 0.05;

/** A value with a series of its own. */
interface Entry<Value> {
  readonly value: Value;
  /** Its weight at the last look. */
  mark: number;
}

/** A map in a map, by who and by the labels that tell the rows of one apart. */
type Series<Value> = Map<Identity, Map<string, Value>>;

export class Family<Value, Input> {
  readonly name: string;
  readonly #help: string;
  readonly #kind: Kind<Value, Input>;
  /** Values that may have a series of their own, and that the others may have by further labels. */
  readonly #mostOwn: number;
  readonly #mostOthers: number;
  readonly #own: Series<Entry<Value>> = new Map();
  #ownCount = 0;
  /** By the labels besides the container's. */
  readonly #others = new Map<string, Value>();
  #otherLabels = '';
  /** Of this Frame, who may get a series. */
  readonly #new: Series<Value> = new Map();
  #newCount = 0;
  #foldedNow = 0;
  #foldedLast = 0;
  /** It is made in the midst of its first. */
  #frames = 1;
  /** What those without a series were worth, in a Frame in which that is looked at. */
  readonly #outside: number[] = [];
  /** Places to be given away before the next Frame: whoever has one must not lose what this Frame counted. */
  readonly #leaving: [Identity, string][] = [];
  /** Whoever is worth less need not ask for a place. */
  #bar = 0;

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

  /** Rows of the last Frame without a series of their own. */
  get folded(): number {
    return this.#foldedLast;
  }

  /** A look can be taken only where values go on. */
  get #census(): boolean {
    return this.#frames % CENSUS_FRAMES === 0 && this.#kind.reset === undefined;
  }

  /** Before a Frame. */
  begin(): void {
    this.#frames++;
    this.#foldedNow = 0;
    this.#bar = this.#leaving.length > 0 ? this.#bar : 0;
    for (const [identity, labels] of this.#leaving.splice(0)) this.#dismiss(identity, labels);
    const { reset } = this.#kind;
    if (!reset) return;
    for (const of of this.#own.values()) for (const { value } of of.values()) reset(value);
    this.#others.clear();
  }

  add(identity: Identity, labels: string, input: Input): void {
    const entry = this.#own.get(identity)?.get(labels);
    if (entry !== undefined) return this.#kind.add(entry.value, input);
    if (this.#kind.type === 'counter' && input === 0 && !this.#kind.fromZero) return;
    // Of many there may be very many more than fit: they must cost little.
    if (this.#ownCount >= this.#mostOwn || this.#kind.worth(input) < this.#bar) return this.#fold(labels, input);
    let of = this.#new.get(identity);
    if (!of) this.#new.set(identity, of = new Map());
    let fresh = of.get(labels);
    if (fresh === undefined) {
      of.set(labels, fresh = this.#kind.make());
      this.#newCount++;
    }
    this.#kind.add(fresh, input);
  }

  #fold(labels: string, input: Input): void {
    this.#foldedNow++;
    if (this.#census) this.#outside.push(this.#kind.worth(input));
    this.#kind.add(this.#other(labels), input);
  }

  /** The sum of the others, apart by labels while there is room. */
  #other(labels: string): Value {
    let found = this.#others.get(labels);
    if (found !== undefined) return found;
    const key = this.#others.size < this.#mostOthers - 1 ? labels : blurred(labels);
    found = this.#others.get(key);
    if (found === undefined) this.#others.set(key, found = this.#kind.make());
    return found;
  }

  /**
   * After a Frame: who is new gets a series, the largest first, or goes to the others. Who has one keeps it for now.
   * @param other labels of the others
   */
  settle(other: string): void {
    this.#otherLabels = other;
    if (this.#kind.reset) this.#forgetSilent();
    if (this.#newCount > 0) this.#place();
    if (this.#census) this.#look();
    this.#outside.length = 0;
    this.#foldedLast = this.#foldedNow;
  }

  #place(): void {
    const room = Math.max(0, this.#mostOwn - this.#ownCount);
    const all = Array.from(this.#new, ([identity, of]) => Array.from(of, ([labels, value]) => ({ identity, labels, value }))).flat();
    if (room < all.length) all.sort((a, b) => this.#kind.weight(b.value) - this.#kind.weight(a.value));
    for (const { identity, labels, value } of all.slice(0, room)) this.#admit(identity, labels, value);
    for (const { labels, value } of all.slice(room)) {
      this.#foldedNow++;
      if (this.#census) this.#outside.push(this.#kind.weight(value));
      this.#kind.merge(this.#other(labels), value);
    }
    this.#new.clear();
    this.#newCount = 0;
  }

  #admit(identity: Identity, labels: string, value: Value): void {
    let of = this.#own.get(identity);
    if (!of) this.#own.set(identity, of = new Map());
    of.set(labels, { value, mark: this.#kind.weight(value) });
    identity.series++;
    this.#ownCount++;
  }

  /** Who has a series for less than somebody outside would have it for, leaves. */
  #look(): void {
    const crowded = this.#outside.length > 0;
    const inside: { readonly identity: Identity; readonly labels: string; readonly worth: number }[] = [];
    for (const [identity, of] of this.#own) {
      for (const [labels, entry] of of) {
        const weight = this.#kind.weight(entry.value);
        if (crowded) inside.push({ identity, labels, worth: (weight - entry.mark) / CENSUS_FRAMES });
        entry.mark = weight;
      }
    }
    if (!crowded) return;
    inside.sort((a, b) => a.worth - b.worth);
    this.#outside.sort((a, b) => b - a);
    for (const { identity, labels, worth } of inside.slice(0, Math.ceil(this.#mostOwn * SHARE))) {
      const claim = this.#outside[this.#leaving.length] ?? 0;
      if (claim === 0 || claim < worth * WORTHIER) break;
      this.#leaving.push([identity, labels]);
      // One Frame is not like the next.
      this.#bar = claim / 2;
    }
  }

  /** Values that this Frame has not told. */
  #forgetSilent(): void {
    for (const [identity, of] of this.#own) {
      for (const [labels, { value }] of of) if (Number.isNaN(this.#kind.weight(value))) this.#dismiss(identity, labels);
    }
  }

  #dismiss(identity: Identity, labels: string): void {
    const of = this.#own.get(identity);
    if (!of?.delete(labels)) return;
    identity.series--;
    this.#ownCount--;
    if (of.size === 0) this.#own.delete(identity);
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
    for (const [identity, of] of this.#own) for (const [labels, { value }] of of) text += lines(name, joined(identity.labels, labels), value);
    for (const [labels, value] of this.#others) text += lines(name, joined(this.#otherLabels, labels), value);
    return text === '' ? '' : familyHead(this.name, type, this.#help, format) + text;
  }
}
