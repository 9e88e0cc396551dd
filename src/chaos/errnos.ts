/** Which errno names a rule may use. */
import { errnoName, errnoNumber } from '../frame/errno.ts';
import { nearest } from '../frame/suggest.ts';

/** The last number that user space has a name for. */
const LAST_ERRNO = 133;

export const ERRNO_NAMES: readonly string[] = Array.from({ length: LAST_ERRNO }, (_, i) => errnoName(i + 1)).filter((name) => !name.startsWith('errno_') && !name.startsWith('ERESTART'));

/**
 * The kernel's own name: EAGAIN for EWOULDBLOCK.
 * @throws RangeError whose message says why a rule may not use it
 */
export function canonicalErrno(text: string): string {
  const upper = text.toUpperCase();
  const number = errnoNumber(upper);
  if (upper.startsWith('ERESTART')) throw new RangeError(`${text} is the kernel's own way to restart a call: programs never see it and cannot handle it`);
  if (number !== null && number <= LAST_ERRNO) return errnoName(number);
  if (number !== null) throw new RangeError(`${text} is used inside the kernel only: programs have no name for it`);
  if (/^-?\d+$/.test(text)) throw new RangeError(`"${text}" must be an errno's name, such as ${Number(text) >= 1 && Number(text) <= LAST_ERRNO ? errnoName(Number(text)) : 'ENOSPC'}`);
  const meant = nearest(upper, ERRNO_NAMES);
  throw new RangeError(`there is no errno "${text}"${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}
