/** Errors of the door of chaos as the command line's. */
import { AuditError } from '../../chaos/audit-file.ts';
import { ChaosError } from '../../chaos/door.ts';
import { EXIT, type ExitCode, KbtopError } from '../errors.ts';

const CODES: Readonly<Record<ChaosError['kind'], ExitCode>> = { refused: EXIT.impossible, impossible: EXIT.impossible, notFound: EXIT.notFound, failed: EXIT.failed };

/** What to throw on for anything that was thrown. */
export function chaosFailure(error: unknown): unknown {
  if (error instanceof ChaosError) return new KbtopError(CODES[error.kind], error.message, { cause: error });
  return error instanceof AuditError ? new KbtopError(EXIT.failed, error.message, { cause: error }) : error;
}
