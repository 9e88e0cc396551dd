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

/** A program for i386 without any library: the machine has none for it. */
export const FREESTANDING_I386: readonly string[] = ['-m32', '-nostdlib', '-static', '-ffreestanding', '-fno-pie', '-no-pie', '-fno-stack-protector'];

/** Build all of them, e.g. before a VM starts, in which that would take ten times as long. */
export function buildAllWorkloads(): void {
  for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith('.c'))) {
    const name = file.slice(0, -'.c'.length);
    if (name.endsWith('32')) {
      if (process.arch === 'x64') buildWorkload(name, FREESTANDING_I386);
    } else buildWorkload(name);
  }
}
