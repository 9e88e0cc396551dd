/** "Did you mean": the nearest of the names that would have been right. */

/** Least number of characters inserted, deleted, replaced or swapped to get from one text to the other. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const now = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      let least = Math.min(replaced, (last[j] ?? 0) + 1, (now[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      now.push(least);
    }
    before = last;
    last = now;
  }
  return last[b.length] ?? 0;
}

/** The name that was probably meant: begins with what was typed, or is few mistakes away. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const wanted = typed.toLowerCase();
  const started = wanted.length >= 2 ? names.find((name) => name.toLowerCase().startsWith(wanted)) : undefined;
  if (started !== undefined) return started;
  let best: string | undefined, least = Infinity;
  for (const name of names) {
    const distance = editDistance(wanted, name.toLowerCase());
    if (distance < least && distance <= Math.max(1, Math.floor(Math.max(wanted.length, name.length) / 3))) {
      best = name;
      least = distance;
    }
  }
  return best;
}

/** "; did you mean X?" with all names, or only these, to put behind an error. @param kind "panes" */
export function oneOf(typed: string, names: readonly string[], kind: string): string {
  const name = nearest(typed, names);
  const all = names.join(', ');
  return name === undefined ? `; ${kind} are ${all}` : `; did you mean ${name}? (${kind} are ${all})`;
}
