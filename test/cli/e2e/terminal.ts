/** kbtop on a pseudo-terminal. */
import pty from '@lydell/node-pty';
import { KBTOP } from './kbtop.ts';

export interface OnTerminal {
  readonly args: readonly string[];
  readonly cols?: number;
  readonly rows?: number;
  readonly command?: string;
  /** Sent once the screen shows `when`. */
  readonly keys?: string;
  readonly when?: RegExp;
}

/** Everything that the terminal was sent until the program ended, and its exit code. */
export function onTerminal({ args, cols = 80, rows = 24, command = KBTOP, keys, when }: OnTerminal): Promise<{ readonly text: string; readonly code: number }> {
  return new Promise((resolve) => {
    const child = pty.spawn(command, [...args], { cols, rows, env: { PATH: process.env['PATH'], HOME: '/nonexistent', TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' } });
    let text = '', sent = false;
    child.onData((data) => {
      text += data;
      if (!sent && keys !== undefined && when?.test(text)) {
        sent = true;
        child.write(keys);
      }
    });
    child.onExit(({ exitCode }) => resolve({ text, code: exitCode }));
  });
}
