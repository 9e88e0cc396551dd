/** A table of names by number, written as words in order; `@N` jumps to number N. */
export function numberedNames(words: string): readonly (string | undefined)[] {
  const names: (string | undefined)[] = [];
  let next = 0;
  for (const word of words === '' ? [] : words.split(' ')) {
    if (word.startsWith('@')) next = Number(word.slice(1));
    else names[next++] = word;
  }
  return names;
}
