/** Opening what was recorded, in a command's words. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Recording } from '../session/recording/recording.ts';
import { EXIT, KbtopError } from './errors.ts';
import { printError } from './output.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file', EACCES: 'permission denied', EPERM: 'permission denied', EISDIR: 'it is a directory',
};

/** Says on stderr what of it cannot be read. @param path as given; `-` is stdin @throws KbtopError, one line */
export async function openRecorded(path: string): Promise<Recording> {
  const { openRecording } = await import('../session/recording/open.ts');
  let recording;
  try {
    recording = await openRecording(path);
  } catch (error) {
    throw recordedFailure(error, path);
  }
  for (const warning of recording.warnings) await printError(warning);
  return recording;
}

/** What went wrong with a recording, for people; anything else as it is. */
export function recordedFailure(error: unknown, path: string): unknown {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'RecordingError') return new KbtopError(EXIT.failed, message, { cause: error });
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return new KbtopError(EXIT.failed, `cannot read ${path}: ${REASONS[code] ?? message}`, { cause: error });
  return error;
}

/** The recording that kbtop brings along: beside dist/ in a release, as in a checkout. @throws KbtopError */
export function demoFile(directory = import.meta.dirname): string {
  const found = ['..', '../..'].map((up) => join(directory, up, 'demo/demo.kbtop')).find((file) => existsSync(file));
  if (found === undefined) throw new KbtopError(EXIT.failed, 'the demo recording is missing: demo/demo.kbtop belongs beside dist/ and bin/; install kbtop anew');
  return found;
}
