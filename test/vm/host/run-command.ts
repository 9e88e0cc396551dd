/** Child processes of the host side. */
import { spawn } from 'node:child_process';

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
    const child = spawn(file, args, { cwd, env: { ...process.env, LC_ALL: 'C', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let line = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (onLine === undefined) return;
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      for (const one of lines) onLine(one);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error) => resolve({ code: null, stdout, lastLine: error.message }));
    child.on('close', (code) => resolve({ code, stdout, lastLine: lastLine(stderr) || lastLine(stdout) }));
  });
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';
