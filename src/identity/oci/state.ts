/** How the source of runtime files fares, in one line. Pure. */
import { posix } from 'node:path';
import type { SourceState } from '../source.ts';
import type { Refusal } from './discovery.ts';
import type { PlaceDirectory } from './reader.ts';

export interface OciFacts {
  /** It has looked once. */
  readonly ready: boolean;
  readonly hostRoot: string;
  readonly places: readonly (PlaceDirectory & { readonly hits: number })[];
  /** Where it looks, paths on the host. */
  readonly bases: readonly string[];
  readonly refusals: readonly Refusal[];
  readonly unwatched: readonly Refusal[];
  /** First parts of paths on the host. */
  readonly hung: readonly string[];
  /** The last file that could not be read, if none could since. */
  readonly failure: Refusal | null;
}

const TO_SEE_THE_HOST = 'run kbtop on the node, or mount the host\'s / into the pod and name it with --host-root';
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied', EPERM: 'not permitted', EIO: 'input/output error', ESTALE: 'stale file handle', ELOOP: 'a symbolic link in its place',
  EFTYPE: 'not a regular file', EFBIG: 'longer than 4 MiB', ETIMEDOUT: 'no answer', EMFILE: 'too many open files', ENFILE: 'too many open files on this machine',
};

function why({ path, code }: Refusal): string {
  return `${path}: ${REASONS[code] ?? code}`;
}

export const isDenied = ({ code }: Pick<Refusal, 'code'>): boolean => code === 'EACCES' || code === 'EPERM';

/** "/run/containerd/io.containerd.runtime.v2.task (default, k8s.io)": what lies below one base stands together. */
function list(places: readonly PlaceDirectory[]): string {
  const bases = new Map<string, string[]>();
  for (const { spec, directory } of places) {
    const base = spec.below === null ? directory : posix.dirname(directory);
    bases.set(base, [...(bases.get(base) ?? []), ...(spec.below === null ? [] : [posix.basename(directory)])]);
  }
  return [...bases].map(([base, names]) => (names.length === 0 ? base : `${base} (${names.sort().join(', ')})`)).join(', ');
}

function unwatched([first, ...others]: readonly Refusal[]): Pick<SourceState, 'fix'> & { readonly note: string } {
  if (!first) return { note: '', fix: null };
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  return {
    note: `; ${first.path}${more} cannot be watched (${first.code}), so the shortest-lived containers may be missed`,
    fix: first.code === 'ENOSPC' ? 'raise fs.inotify.max_user_watches' : first.code === 'EMFILE' ? 'raise fs.inotify.max_user_instances' : null,
  };
}

export function describeOci(facts: OciFacts): SourceState {
  const { ready, hostRoot, places, bases, refusals, hung, failure } = facts;
  if (hung.length > 0) {
    const where = hung.map((part) => posix.join(hostRoot, part)).join(', ');
    return { status: 'failing', reason: `${where} does not answer; nothing more is read there until it does`, fix: 'look for a dead disk or network file system' };
  }
  if (!ready) return { status: 'starting', reason: 'looking for the files of container runtimes', fix: null };
  const named = places.some(({ hits }) => hits > 0);
  const trouble = named ? undefined : failure ?? (places.length === 0 ? refusals[0] : undefined);
  if (trouble) return { status: 'failing', reason: `cannot read ${why(trouble)}`, fix: isDenied(trouble) ? 'run kbtop as root' : null };
  if (places.length === 0) return { status: 'absent', reason: `no container runtime's files: looked for ${bases.map((base) => posix.join(hostRoot, base)).join(', ')}`, fix: TO_SEE_THE_HOST };
  const beside = refusals[0] ?? failure;
  const refused = beside ? `; cannot read ${why(beside)}` : '';
  const { note, fix } = unwatched(facts.unwatched);
  return { status: 'ok', reason: `reads ${list(places)}${refused}${note}`, fix: fix ?? (beside && isDenied(beside) ? 'run kbtop as root' : null) };
}
