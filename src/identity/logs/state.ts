/** How the source of log names fares, in one line. Pure. */
import type { SourceState } from '../source.ts';

export interface LogDirectoryFacts {
  readonly path: string;
  /** Errno's name of why it cannot be read; null when it can. */
  readonly code: string | null;
  readonly count: number;
  readonly watchTrouble: string | null;
}

export interface LogsFacts {
  /** It has looked once. */
  readonly ready: boolean;
  readonly directories: readonly LogDirectoryFacts[];
  /** An access has not come back. */
  readonly hung: boolean;
}

const isMissing = (code: string | null): boolean => code === 'ENOENT' || code === 'ENOTDIR';

export function describeLogs({ ready, directories, hung }: LogsFacts): SourceState {
  const paths = directories.map(({ path }) => path).join(' and ');
  if (hung) return { status: 'failing', reason: `${paths}: no answer; nothing more is read there until there is one`, fix: 'look for a dead disk or network file system' };
  if (!ready) return { status: 'starting', reason: `reading ${paths}`, fix: null };
  const refused = directories.find(({ code }) => code !== null && !isMissing(code));
  const found = directories.filter(({ code }) => code === null);
  const denied = refused?.code === 'EACCES' || refused?.code === 'EPERM';
  const refusal = refused ? `cannot read ${refused.path}: ${denied ? 'permission denied' : refused.code}` : null;
  if (found.length === 0) {
    if (refusal !== null) return { status: 'failing', reason: refusal, fix: denied ? 'run kbtop as root' : null };
    return {
      status: 'absent', reason: `no logs of the kubelet: there is neither ${directories.map(({ path }) => path).join(' nor ')}`,
      fix: 'run kbtop on a Kubernetes node, or mount the host\'s /var/log into the pod and name the root with --host-root',
    };
  }
  const unwatched = found.find(({ watchTrouble }) => watchTrouble !== null);
  const names = found.map(({ path, count }) => `${path} (${count})`).join(', ');
  return {
    status: 'ok',
    reason: [`reads the names in ${names}`, refusal, unwatched && `${unwatched.path} cannot be watched (${unwatched.watchTrouble}), so names come seconds later`].filter(Boolean).join('; '),
    fix: denied ? 'run kbtop as root' : unwatched?.watchTrouble === 'ENOSPC' ? 'raise fs.inotify.max_user_watches' : null,
  };
}
