/** Progress on stderr (stdout belongs to the command that set-up prepares), and child processes that report through it. */
import { spawn } from 'node:child_process';

export const say = (line) => process.stderr.write(`setup: ${line}\n`);

/** What a person can mend: one line, no stack. */
export class SetupError extends Error {}

export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/**
 * Run a command to its end with stdin closed. Output is kept and returned, or, with `show`, passed on to stderr.
 * Resolves to { code, signal, output }; rejects only when it cannot be started.
 */
export function run(file, args, { show = false, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', show ? 2 : 'pipe', show ? 2 : 'pipe'] });
    const chunks = [];
    if (!show) {
      child.stdout.on('data', (chunk) => chunks.push(chunk));
      child.stderr.on('data', (chunk) => chunks.push(chunk));
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output: Buffer.concat(chunks).toString('utf8') }));
  });
}

/** The last lines of a failed command's output, indented, for the error report. */
export function tail(output, lines = 40) {
  return output.trimEnd().split('\n').slice(-lines).map((line) => `  ${line}`).join('\n');
}
