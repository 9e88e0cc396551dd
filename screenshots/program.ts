/** A program on a real pseudo-terminal, and the screen that a terminal would show. */
import { setTimeout as sleep } from 'node:timers/promises';
import { spawn } from '@lydell/node-pty';
import type { IPty } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import type { Terminal } from '@xterm/headless';
import { FrameCutter } from './frames.ts';

export interface ProgramOptions {
  readonly cols: number;
  readonly rows: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class Program {
  readonly terminal: Terminal;
  /** Resolves with the exit code when the program has ended and all its output is on the screen. */
  readonly ended: Promise<number>;
  readonly #pty: IPty;
  readonly #frames = new FrameCutter();
  #drawn: Promise<void> = Promise.resolve();
  #exitCode: number | null = null;

  constructor(command: readonly [string, ...string[]], options: ProgramOptions) {
    const { cols, rows } = options;
    this.terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 0 });
    const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', LANG: 'C.UTF-8', TERM: 'xterm-256color', ...options.env };
    const [file, ...args] = command;
    this.#pty = spawn(file, args, { name: env.TERM, cols, rows, cwd: options.cwd ?? process.cwd(), env });
    // A terminal answers what programs ask it, e.g. for its colours.
    this.terminal.onData((answer) => {
      if (this.#exitCode === null) this.#pty.write(answer);
    });
    this.#pty.onData((data) => this.#draw(this.#frames.push(data)));
    this.ended = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode }) => {
        this.#exitCode = exitCode;
        this.#draw(this.#frames.flush());
        void this.#drawn.then(() => resolve(exitCode));
      });
    });
  }

  #draw(data: string): void {
    if (data === '') return;
    const written = new Promise<void>((resolve) => this.terminal.write(data, resolve));
    this.#drawn = Promise.all([this.#drawn, written]).then(() => undefined);
  }

  /** The rows of the screen as text, without trailing blanks. */
  screen(): string[] {
    const { active } = this.terminal.buffer;
    return Array.from({ length: this.terminal.rows }, (_, y) => active.getLine(active.viewportY + y)?.translateToString(true) ?? '');
  }

  /** Type. */
  keys(text: string): void {
    this.#pty.write(text);
  }

  resize(cols: number, rows: number): void {
    this.#pty.resize(cols, rows);
    this.terminal.resize(cols, rows);
  }

  /**
   * Wait until the screen shows `wanted`.
   * @param timeoutMs deadline in milliseconds
   * @throws with the screen's text, when the time is over or the program has ended before
   */
  async waitFor(wanted: string | RegExp, timeoutMs = 30_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const ended = this.#exitCode;
      await this.#drawn;
      const text = this.screen().join('\n');
      if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) return;
      if (ended !== null) throw new Error(`the program ended with code ${ended} before its screen showed ${wanted}:\n${text}`);
      if (Date.now() > deadline) throw new Error(`the screen did not show ${wanted} within ${timeoutMs} ms:\n${text}`);
      await sleep(50);
    }
  }

  /** End the program if it still runs. */
  async close(): Promise<void> {
    if (this.#exitCode === null) {
      this.#pty.kill('SIGTERM');
      const killer = setTimeout(() => this.#pty.kill('SIGKILL'), 5_000);
      await this.ended;
      clearTimeout(killer);
    }
    this.terminal.dispose();
  }
}
