/** Which ways of injecting faults this kernel has. */
import { BACKENDS, type BackendName } from '../../chaos/backends.ts';
import type { Usable } from '../../chaos/select.ts';
import { type Check, check } from './check.ts';

/** @param backends what was found out by doing it; null: nothing was tried, for this reason */
export function chaosChecks(backends: Readonly<Record<BackendName, Usable>> | null, why: string): Check[] {
  return BACKENDS.map(({ name, title }) => {
    const found = backends?.[name];
    return check('chaos', name, found?.usable ?? null, found === undefined ? why : found.usable ? title : found.reason);
  });
}
