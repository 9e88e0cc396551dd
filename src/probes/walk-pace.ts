/** How often the walk over all tasks is made: at each tick as long as it is cheap. Shared by the panes that live on it. */
import type { Identity } from '../identity/identity.ts';
import type { Interval } from './probe.ts';

/** Share of one CPU that the walks may take; on a node with very many tasks they become rarer instead. */
const WALK_BUDGET = 0.01;
/** Longer pauses between walks are told, milliseconds. */
const RARE_MS = 1000;

export class WalkPace {
  readonly #identity: Pick<Identity, 'walk'>;
  /** CPU time of a walk, smoothed, milliseconds. */
  #walkMs = 0;
  #at: number | undefined;
  /** Walks made so far; another number means new numbers. */
  walks = 0;
  /** When the last one was made, milliseconds of performance.now(). */
  walkedAt = performance.now();

  constructor(identity: Pick<Identity, 'walk'>) {
    this.#identity = identity;
  }

  /** Walk, unless another pane had it done for the same tick, or it would cost too much by now. @throws BpfError */
  renew({ at, exact = false }: Pick<Interval, 'at' | 'exact'>): void {
    if (at !== undefined && at === this.#at) return;
    this.#at = at;
    if (!exact && this.walks > 0 && this.#walkMs > (performance.now() - this.walkedAt) * WALK_BUDGET) return;
    const before = process.cpuUsage();
    this.#identity.walk();
    this.walkedAt = performance.now();
    const { user, system } = process.cpuUsage(before);
    // One walk may have been disturbed: the smoothed cost counts.
    this.#walkMs += ((user + system) / 1000 - this.#walkMs) / 4;
    this.walks++;
  }

  /** Why the numbers are not of each tick; null when they are. */
  get reason(): string | null {
    const everyMs = this.#walkMs / WALK_BUDGET;
    return everyMs > RARE_MS ? `renewed every ${(everyMs / 1000).toFixed(1)} s at most: a walk over all tasks takes ${this.#walkMs.toFixed(0)} ms` : null;
  }
}

const paces = new WeakMap<object, WalkPace>();

/** The one pace of an identity's walks. */
export function paceOf(identity: Pick<Identity, 'walk'>): WalkPace {
  let pace = paces.get(identity);
  if (!pace) paces.set(identity, (pace = new WalkPace(identity)));
  return pace;
}
