/** Child processes of the host side. None outlives us: a build left behind would fill the disk and keep the machine busy. */
import { type ChildProcess, spawn } from 'node:child_process';

const children = new Map<ChildProcess, NodeJS.Signals>();
process.on('exit', () => {
  for (const [child, signal] of children) child.kill(signal);
});

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What ends it. SIGTERM, which make passes on to what it started. */
  readonly signal?: NodeJS.Signals;
}

/** Start a command with stdin closed, to be ended with us however we end: the kernel sees to it where we cannot. */
export function startCommand(file: string, args: readonly string[], { signal = 'SIGTERM', ...options }: StartOptions = {}): ChildProcess {
  const child = spawn('setpriv', ['--pdeathsig', signal.slice(3), file, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  children.set(child, signal);
  child.on('close', () => children.delete(child));
  return child;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** Last line of stderr, or of stdout: what a person is told. */
  readonly lastLine: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with each line of stdout as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Run to the end with stdin closed. Never rejects: a command that cannot be started has code null and the reason as its line. */
export function runCommand(file: string, args: readonly string[], { cwd, env, onLine }: CommandOptions = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = startCommand(file, args, { ...(cwd === undefined ? {} : { cwd }), env: { ...process.env, LC_ALL: 'C', ...env } });
    let stdout = '';
    let stderr = '';
    let line = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (onLine === undefined) return;
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      for (const one of lines) onLine(one);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error) => resolve({ code: null, stdout, lastLine: error.message }));
    child.on('close', (code) => resolve({ code: code === NOT_STARTED ? null : code, stdout, lastLine: lastLine(stderr) || lastLine(stdout) }));
  });
}

/** setpriv's answer when there is no such command. */
const NOT_STARTED = 127;

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';
