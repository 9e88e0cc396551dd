/** Finds built BPF objects. */
import { join, resolve } from 'node:path';
import { locate } from './locate.ts';

/**
 * Path of a BPF object file, in the environment's KBTOP_BPF_DIR, in bpf/ beside the running bundle, or in the
 * checkout's dist/bpf. Whether it is there, Addon.open() says.
 * @param name file name without .bpf.o, e.g. "syscalls" or "selftest/counter"
 */
export function objectPath(name: string): string {
  const given = process.env['KBTOP_BPF_DIR'];
  return given ? join(resolve(given), `${name}.bpf.o`) : locate(join('bpf', `${name}.bpf.o`)).path;
}
