/** The menu of errors: which make sense for a system call, in the order of how likely they are in real life. */
import { FALLBACK_ERRORS, FAMILY_ERRORS, FAMILY_MEANINGS, MEANINGS } from './errors-data.ts';
import { familyOf, groupOf } from './families.ts';

export interface ErrorChoice {
  readonly errno: string;
  /** One plain sentence without a full stop: "the disk is full". */
  readonly meaning: string;
  /** Null unless there is something to beware of. */
  readonly caution: string | null;
}

/** Errors after which callers try again at once and for ever. */
const RETRIED: ReadonlySet<string> = new Set(['EINTR', 'EAGAIN']);
export const isRetried = (errno: string): boolean => RETRIED.has(errno);
export const RETRY_CAUTION = 'callers retry for ever: limit the hits';

/** What the error means, of a call of this family; null where nothing is known about it. */
export function meaningOf(errno: string, family: string | null = null): string | null {
  return (family === null ? undefined : FAMILY_MEANINGS[family]?.[errno]) ?? MEANINGS[errno] ?? null;
}

function choice(errno: string, family: string | null): ErrorChoice {
  return { errno, meaning: meaningOf(errno, family) ?? 'no description', caution: isRetried(errno) ? RETRY_CAUTION : null };
}

/** @param item a call ("openat") or family ("%open") */
export function errorsOf(item: string): ErrorChoice[] {
  const family = (item.startsWith('%') ? groupOf(item.slice(1)) : familyOf(item))?.name ?? null;
  const words = (family === null ? undefined : FAMILY_ERRORS[family]) ?? FALLBACK_ERRORS;
  return words.split(' ').map((errno) => choice(errno, family));
}

/** Does the error make sense for this call? A rule may use others, too. */
export const isUsual = (errno: string, item: string): boolean => errorsOf(item).some((one) => one.errno === errno);
