/** Errors of sessions as the command line's. */
import { SessionError } from '../../session/error.ts';
import { EXIT, type ExitCode, KbtopError } from '../errors.ts';

const CODES: Readonly<Record<SessionError['kind'], ExitCode>> = { absent: EXIT.failed, refused: EXIT.impossible, failed: EXIT.failed };

/** What to throw on for anything that was thrown. */
export const sessionFailure = (error: unknown): unknown => (error instanceof SessionError ? new KbtopError(CODES[error.kind], error.message, { cause: error }) : error);
