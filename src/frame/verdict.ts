/** Does a container belong to what was asked for, with what is known of it so far. */

/** unknown: a name or label that decides is not known, maybe not yet. */
export type Verdict = 'yes' | 'no' | 'unknown';

export const verdictOf = (known: boolean): Verdict => (known ? 'yes' : 'no');

/** All must hold: a single no decides, whatever else is unknown. */
export function allOf<T>(items: Iterable<T>, judge: (item: T) => Verdict): Verdict {
  let all: Verdict = 'yes';
  for (const item of items) {
    const one = judge(item);
    if (one === 'no') return 'no';
    if (one === 'unknown') all = 'unknown';
  }
  return all;
}

/** One must hold: a single yes decides, whatever else is unknown. */
export function anyOf<T>(items: Iterable<T>, judge: (item: T) => Verdict): Verdict {
  let any: Verdict = 'no';
  for (const item of items) {
    const one = judge(item);
    if (one === 'yes') return 'yes';
    if (one === 'unknown') any = 'unknown';
  }
  return any;
}
