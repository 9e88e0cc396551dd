/** Builds the C workloads beside this file, each once per source: test/workloads/NAME.c becomes a program in a cache directory. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FLAGS = ['-O1', '-g0', '-Wall', '-Wextra', '-Werror', '-pthread'];

/**
 * Path of the built program.
 * @param name file name without .c @param extra more compiler flags, e.g. -m32
 * @throws Error with the compiler's output when it does not compile
 */
export function buildWorkload(name: string, extra: readonly string[] = []): string {
  const flags = [...FLAGS, ...extra];
  const source = join(import.meta.dirname, `${name}.c`);
  const headers = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.h')).sort();
  const content = [source, ...headers.map((file) => join(import.meta.dirname, file))].map((file) => readFileSync(file));
  const hash = createHash('sha256').update(Buffer.concat(content)).update(flags.join(' ')).digest('hex').slice(0, 16);
  const directory = join(tmpdir(), `kbtop-workloads-${process.getuid?.() ?? 0}`);
  const program = join(directory, `${name}-${hash}`);
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Renamed when whole: tests build side by side.
  const temporary = `${program}.${process.pid}`;
  execFileSync('cc', [...flags, '-o', temporary, source], { stdio: ['ignore', 'inherit', 'pipe'] });
  renameSync(temporary, program);
  return program;
}
