/** Archives whose bytes depend on nothing but their content: no times, no owners, no order of a directory. */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { SetupError, run, tail } from '../say.mjs';

async function must(file, args) {
  const { code, output } = await run(file, args).catch((error) => ({ code: 1, output: error.message }));
  if (code !== 0) throw new SetupError(`${file} failed (code ${code})\n${tail(output)}`);
}

/** Readable and, where it is a program, executable for all; writable for root alone. */
const MODE = 'u+rw,go+r,go-w,a+X';

/** Needs GNU tar. @param {string[]} names what to take of `directory` @param {string} prefix comes before each name @param {string | null} mode null: as the files are */
export async function tar(file, directory, names, { prefix = '', mode = MODE } = {}) {
  const time = process.env.SOURCE_DATE_EPOCH || '0';
  await must('tar', [
    '--create', '--format=ustar', '--sort=name', `--mtime=@${time}`, '--owner=0', '--group=0', '--numeric-owner',
    ...(mode === null ? [] : [`--mode=${mode}`]),
    ...(prefix === '' ? [] : [`--transform=flags=rSh;s,^,${prefix},`]), `--file=${file}`, `--directory=${directory}`, ...names,
  ]);
}

/** Compress in place. @returns {Promise<string>} the file's new name */
export async function gzip(file) {
  await must('gzip', ['--no-name', '--force', file]);
  return `${file}.gz`;
}

export const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Put a finished file in its place, in one step. */
export function publish(file, place) {
  rmSync(place, { force: true });
  renameSync(file, place);
}
