/**
 * Keeps a probe's cost within its budget: falls from timing every call over timing one in N to counting, and climbs
 * back with hysteresis. Pure: it is told rates and answers with steps.
 */

/** One way to measure, from the dearest to the cheapest. */
export interface Step {
  readonly level: 'latency' | 'sampled' | 'count';
  /** One call in this many is timed; 0: none. */
  readonly oneIn: number;
}

export const STEPS: readonly Step[] = [
  { level: 'latency', oneIn: 1 },
  { level: 'sampled', oneIn: 16 },
  { level: 'sampled', oneIn: 64 },
  { level: 'count', oneIn: 0 },
];

/** Nanoseconds that one call costs. */
export interface CallCost {
  /** Counting it. */
  readonly count: number;
  /** More, where any calls are timed: the second tracepoint. */
  readonly hook: number;
  /** More for a call that is timed. */
  readonly timing: number;
}

/** Nanoseconds per call, on average, at a step. */
export function costNs(step: Step, cost: CallCost): number {
  return cost.count + (step.oneIn > 0 ? cost.hook + cost.timing / step.oneIn : 0);
}

/** Intervals over budget before it falls; one is enough when the budget is passed twice over. */
const FALL_AFTER = 2;
/** A step up must have fitted into this share of the budget ... */
const CLIMB_SHARE = 0.7;
/** ... for this many intervals. */
const CLIMB_AFTER = 5;
/** A measurement further off than this is taken for a disturbed one. */
const MAX_FACTOR = 5;

export class LevelPolicy {
  readonly budgetPct: number;
  #cost: CallCost;
  #ceiling = 0;
  #at = 0;
  #over = 0;
  #under = 0;
  #factor = 1;

  /** @param budgetPct of one CPU */
  constructor(budgetPct: number, cost: CallCost) {
    this.budgetPct = budgetPct;
    this.#cost = cost;
  }

  get step(): Step {
    return STEPS[this.#at] as Step;
  }

  /** Below what was asked for. */
  get fallen(): boolean {
    return this.#at > this.#ceiling;
  }

  /** The dearest step that is wished for. Starts there. */
  ask(level: Step['level']): void {
    this.#ceiling = STEPS.findIndex((step) => step.level === level);
    this.#at = this.#ceiling;
    this.#over = this.#under = 0;
  }

  /** How much of one CPU, in percent, this rate costs at a step; default: at what was asked for. */
  pct(ratePerSec: number, step: Step = STEPS[this.#ceiling] as Step): number {
    return (ratePerSec * costNs(step, this.#cost) * this.#factor) / 1e7;
  }

  /** What a call was measured to cost at the present step, nanoseconds: scales the costs of all steps. */
  calibrate(ns: number): void {
    const factor = ns / costNs(this.step, this.#cost);
    if (factor > 1 / MAX_FACTOR && factor < MAX_FACTOR) this.#factor = factor;
  }

  /** Take one interval's rate. @returns true when the step changed */
  observe(ratePerSec: number): boolean {
    const pct = this.pct(ratePerSec, this.step);
    this.#over = pct > this.budgetPct ? this.#over + 1 : 0;
    if (this.#at < STEPS.length - 1 && (this.#over >= FALL_AFTER || pct > 2 * this.budgetPct)) {
      const fits = STEPS.findIndex((step, i) => i > this.#at && this.pct(ratePerSec, step) <= this.budgetPct);
      this.#move(fits < 0 ? STEPS.length - 1 : fits);
      return true;
    }
    const above = STEPS[this.#at - 1];
    const fits = above !== undefined && this.fallen && this.pct(ratePerSec, above) <= CLIMB_SHARE * this.budgetPct;
    this.#under = fits ? this.#under + 1 : 0;
    if (this.#under < CLIMB_AFTER) return false;
    this.#move(this.#at - 1);
    return true;
  }

  #move(to: number): void {
    this.#at = to;
    this.#over = this.#under = 0;
  }
}
