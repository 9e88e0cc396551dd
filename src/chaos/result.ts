/** What comes of reading something that somebody wrote: the thing, or everything that is wrong with it. */

/** One thing wrong. */
export interface Mistake {
  /** Where in the rule: "syscalls[1]", "where.path", "kernel.function"; "" is the rule as a whole. */
  readonly path: string;
  /** One line: what is wrong and what would be right. Raw, not escaped. */
  readonly message: string;
}

export type Result<T, M = Mistake> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly mistakes: readonly M[] };

export const good = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const bad = <M>(mistakes: readonly M[]): { readonly ok: false; readonly mistakes: readonly M[] } => ({ ok: false, mistakes });
