/** Reads the `loss` map of bpf/loss.h and turns two readings into one interval's Loss. */
import type { BpfObject } from '../bpf/addon.ts';
import type { Loss } from '../frame/frame.ts';

/** Word order of `struct loss`. */
const LOSS_WORDS = ['lostRing', 'lostMap', 'lostFault', 'overBudget'] as const;
type Counted = Record<(typeof LOSS_WORDS)[number], number>;

/** Losses of one BPF object, as differences between calls. */
export class LossCounter {
  #last: Counted = { lostRing: 0, lostMap: 0, lostFault: 0, overBudget: 0 };

  /**
   * Losses since the last call.
   * @param kept events that reached their map or the drained ring, interval
   * @param causes which causes mean that the event itself is gone: they add to `seen`
   */
  since(object: BpfObject, kept: number, causes: readonly (keyof Counted)[] = ['lostRing', 'lostMap', 'overBudget']): Loss {
    const { words } = object.map('loss').read();
    const delta: Counted = { lostRing: 0, lostMap: 0, lostFault: 0, overBudget: 0 };
    LOSS_WORDS.forEach((name, i) => {
      const now = words[i]?.[0] ?? 0;
      delta[name] = now - this.#last[name];
      this.#last[name] = now;
    });
    const gone = causes.reduce((sum, cause) => sum + delta[cause], 0);
    return { seen: kept + gone, kept, ...delta, unattributed: 0 };
  }
}
