/** What goes wrong with a cluster, as kbtop's own errors with their exit codes. */
import { Trouble, type TroubleKind } from '../../cluster/errors.ts';
import { Failure } from '../../identity/kubernetes/failure.ts';
import { EXIT, type ExitCode, KbtopError } from '../errors.ts';

const CODES: Readonly<Record<TroubleKind, ExitCode>> = { 'not found': EXIT.notFound, impossible: EXIT.impossible, failed: EXIT.failed, usage: EXIT.usage };

/** @param server who was asked, for people; null: nobody yet */
export function kbtopErrorOf(error: unknown, server: string | null): unknown {
  if (error instanceof Trouble) return new KbtopError(CODES[error.kind], error.message, { cause: error });
  if (!(error instanceof Failure)) return error;
  const code = error.kind === 'forbidden' || error.kind === 'unauthorized' ? EXIT.impossible : EXIT.failed;
  const fix = error.fix ?? (error.kind === 'unauthorized' ? 'renew the credentials of that user, or give others by --kubeconfig or --context' : 'see whether kubectl get nodes works');
  // Configuration says itself where it is.
  const who = error.kind === 'configuration' || server === null ? '' : `${server}: `;
  return new KbtopError(code, `${who}${error.message}: ${fix}`, { cause: error });
}
