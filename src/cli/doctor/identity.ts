/** Checks of the sources of names: each is started, given a moment, and asked how it fares. */
import type { Identity } from '../../identity/identity.ts';
import type { NameSource, SourceState } from '../../identity/source.ts';
import { type Answer, type Check, check, reasonOf } from './check.ts';

/** How long the sources may take to answer, milliseconds: one that hangs costs this much and no more. */
export const SOURCES_MS = 3000;

/** absent and failing are both a no to whether names come from there; only the panes decide about the exit code. */
const ANSWERS: Readonly<Record<SourceState['status'], Answer>> = { ok: 'yes', absent: 'no', failing: 'no', starting: 'unknown', off: 'unknown' };

const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, '; ');

function sourceCheck({ id, state: { status, reason, fix } }: Pick<NameSource, 'id' | 'state'>, waitMs: number): Check {
  const told = oneLine(reason);
  const late = `not answered within ${waitMs / 1000} s`;
  const why = status === 'starting' ? [late, told].filter((part) => part !== '').join(': ') : told || status;
  return check('identity', id, ANSWERS[status], why, fix === null ? null : oneLine(fix));
}

/** Resolves when `task` does or when so much time has passed; the timer does not stay. */
async function atMost(task: Promise<void>, ms: number): Promise<void> {
  let timer;
  try {
    await Promise.race([task, new Promise<void>((resolve) => { timer = setTimeout(resolve, ms); })]);
  } finally {
    clearTimeout(timer);
  }
}

/** One check per source, best source first. The cgroup path is no source of this kind. Never rejects. */
export async function sourceChecks(identity: Pick<Identity, 'sources' | 'startSources'>, waitMs = SOURCES_MS): Promise<Check[]> {
  try {
    await atMost(identity.startSources(true), waitMs);
    return identity.sources.map((source) => sourceCheck(source, waitMs));
  } catch (error) {
    return [check('identity', 'sources', null, reasonOf(error))];
  }
}
