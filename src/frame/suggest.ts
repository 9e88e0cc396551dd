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

/** At most so many names that may have been meant, likeliest first: begin with what was typed, are few mistakes away, or have it inside. */
export function near(typed: string, names: readonly string[], count: number): string[] {
  const wanted = typed.toLowerCase();
  const ranked = names.flatMap((name) => {
    const lower = name.toLowerCase();
    if (wanted.length >= 2 && lower.startsWith(wanted)) return [{ name, rank: 0 }];
    const distance = editDistance(wanted, lower);
    if (distance <= Math.max(1, Math.floor(Math.max(wanted.length, lower.length) / 3))) return [{ name, rank: distance }];
    return wanted.length >= 3 && lower.includes(wanted) ? [{ name, rank: Infinity }] : [];
  });
  // Infinity minus itself is no order.
  return ranked.sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank)).slice(0, count).map(({ name }) => name);
}

/** The name that was probably meant. */
export const nearest = (typed: string, names: readonly string[]): string | undefined => near(typed, names, 1)[0];

/** "; did you mean X?" with all names, or only these, to put behind an error. @param kind "panes" */
export function oneOf(typed: string, names: readonly string[], kind: string): string {
  const name = nearest(typed, names);
  const all = names.join(', ');
  return name === undefined ? `; ${kind} are ${all}` : `; did you mean ${name}? (${kind} are ${all})`;
}
