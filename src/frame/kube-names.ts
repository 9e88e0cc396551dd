/** What Kubernetes takes for a name, a label's key and a label's value: the rules of its API server, which tell at once what cannot exist. */

/** What is wrong with a text, and where. */
export interface Mistake {
  /** UTF-16 index of the first character that is wrong. */
  readonly at: number;
  /** Continues "NAME ...": "must begin with a letter or digit". */
  readonly problem: string;
}

const MAX_LABEL = 63;
const MAX_SUBDOMAIN = 253;

interface Alphabet {
  /** One character that may stand anywhere. */
  readonly inside: RegExp;
  /** One character that may stand at the ends. */
  readonly ends: RegExp;
  /** What `ends` takes, in words. */
  readonly words: string;
}

const LABEL: Alphabet = { inside: /[A-Za-z0-9_.-]/, ends: /[A-Za-z0-9]/, words: 'a letter or digit' };
const DNS: Alphabet = { inside: /[a-z0-9-]/, ends: /[a-z0-9]/, words: 'a lowercase letter or digit' };

/** The part of `text` from `from` to `to`, which must not be empty. */
function partMistake(text: string, from: number, to: number, max: number, { inside, ends, words }: Alphabet): Mistake | null {
  if (from === to) return { at: from, problem: `must have ${words} there` };
  for (let at = from; at < to; at++) {
    if (!inside.test(text.charAt(at))) return { at, problem: `cannot have "${String.fromCodePoint(text.codePointAt(at) ?? 0)}" there` };
  }
  if (!ends.test(text.charAt(from))) return { at: from, problem: `must begin with ${words}` };
  if (!ends.test(text.charAt(to - 1))) return { at: to - 1, problem: `must end with ${words}` };
  return to - from > max ? { at: from + max, problem: `is too long: ${to - from} characters, ${max} at most` } : null;
}

function subdomainMistake(text: string, to: number): Mistake | null {
  for (let from = 0; from <= to;) {
    const dot = text.indexOf('.', from);
    const end = dot < 0 || dot > to ? to : dot;
    const mistake = partMistake(text, from, end, MAX_SUBDOMAIN, DNS);
    if (mistake) return mistake;
    from = end + 1;
  }
  return to > MAX_SUBDOMAIN ? { at: MAX_SUBDOMAIN, problem: `is too long: ${to} characters, ${MAX_SUBDOMAIN} at most` } : null;
}

/** Names of namespaces: lowercase letters, digits and inner dashes, 63 at most. Null: nothing is wrong. */
export const dnsLabelMistake = (text: string): Mistake | null => partMistake(text, 0, text.length, MAX_LABEL, DNS);

/** Names of nodes and pods: such parts with dots between them, 253 characters at most. Null: nothing is wrong. */
export const dnsSubdomainMistake = (text: string): Mistake | null => subdomainMistake(text, text.length);

/** NAME or PREFIX/NAME; the prefix is a DNS subdomain. Null: nothing is wrong. */
export function labelKeyMistake(text: string): Mistake | null {
  const slash = text.indexOf('/');
  if (slash < 0) return partMistake(text, 0, text.length, MAX_LABEL, LABEL);
  const second = text.indexOf('/', slash + 1);
  if (second >= 0) return { at: second, problem: 'has one "/" at most' };
  return subdomainMistake(text, slash) ?? partMistake(text, slash + 1, text.length, MAX_LABEL, LABEL);
}

/** May be empty. Null: nothing is wrong. */
export const labelValueMistake = (text: string): Mistake | null => (text === '' ? null : partMistake(text, 0, text.length, MAX_LABEL, LABEL));
