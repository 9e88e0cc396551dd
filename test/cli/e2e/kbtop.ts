/** Runs the built bin/kbtop as a user would. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { kbtopForAll } from './open-copy.ts';

const ROOT = join(import.meta.dirname, '../../..');
export const KBTOP = join(ROOT, 'bin/kbtop');
let forAll: string | null = null;
/** Path of a kbtop that other users can run, too. */
export const openKbtop = (): string => (forAll ??= kbtopForAll(ROOT));
export const BPF_DIR = join(ROOT, 'dist/bpf');
export const isRoot = process.getuid?.() === 0;
export const NOBODY = { uid: 65_534, gid: 65_534 };

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  /** The program to run instead of kbtop; kbtop's path is then up to the arguments. */
  readonly command?: string;
}

/** A configuration or colours of whoever runs the tests must not matter. */
const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], HOME: tmpdir(), XDG_CONFIG_HOME: join(tmpdir(), 'kbtop-no-config'), LC_ALL: 'C.UTF-8', TERM: 'xterm-256color' });

export function start(args: readonly string[], { command = KBTOP, env, uid, gid }: RunOptions = {}): { readonly child: ChildProcessWithoutNullStreams; readonly ended: Promise<Ended>; readonly out: () => string } {
  if (!existsSync(join(ROOT, 'dist/kbtop.mjs'))) throw new Error('dist/kbtop.mjs is not built: npm run setup');
  const child = spawn(command, args, { env: { ...environment(), ...env }, ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) });
  let stdout = '', stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended, out: () => stdout };
}

export const kbtop = (args: readonly string[], options?: RunOptions): Promise<Ended> => start(args, options).ended;

/** Exactly one line on stderr, ours, without a stack; returns it without "kbtop: ". */
export function onlyLine({ stderr }: Pick<Ended, 'stderr'>): string {
  expect(stderr).toMatch(/^kbtop: [^\n]+\n$/);
  expect(stderr).not.toMatch(/\n\s+at |node:internal|\.mjs:\d/);
  return stderr.slice('kbtop: '.length, -1);
}
