/** A program on a real pseudo terminal, its screen read by a terminal emulator. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';
import type { IPty } from '@lydell/node-pty';
import { bundle } from '../../tools/bundle.mjs';
import { Emulator, until } from '../ui/terminal/screen.ts';

/** Bundle a program of this directory as the product is bundled. @returns the file to run with Node */
export async function bundled(name: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'kbtop-pty-'));
  await bundle(directory, { entry: fileURLToPath(new URL(`children/${name}`, import.meta.url)) });
  return join(directory, 'kbtop.mjs');
}

/** Environment of a plain terminal: nothing of the test runner's. */
export function plainEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '', HOME = '/' } = process.env;
  return { PATH, HOME, TERM: 'xterm-256color', LANG: 'C.UTF-8', ...more };
}

export interface PtyOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export class Pty {
  readonly emulator: Emulator;
  readonly #pty: IPty;
  #drawn: Promise<void> = Promise.resolve();
  #exit: { readonly code: number; readonly signal: number | undefined } | null = null;
  #closed = false;

  constructor(file: string, args: readonly string[], { columns = 120, rows = 40, env = plainEnv(), cwd }: PtyOptions = {}) {
    this.emulator = new Emulator(columns, rows);
    this.#pty = spawn(file, [...args], { cols: columns, rows, name: env['TERM'] ?? 'xterm', env: { ...env }, ...(cwd !== undefined && { cwd }) });
    this.#pty.onData((data) => { this.#drawn = this.emulator.write(data); });
    this.#pty.onExit(({ exitCode, signal }) => { this.#exit = { code: exitCode, signal }; });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  write(data: string): void {
    this.#pty.write(data);
  }

  resize(columns: number, rows: number): void {
    this.emulator.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Send a signal to the program itself. */
  signal(name: NodeJS.Signals, pid = this.pid): void {
    process.kill(pid, name);
  }

  /** Close our side, as a terminal does whose window is closed. */
  hangUp(): void {
    this.#closed = true;
    (this.#pty as unknown as { destroy(): void }).destroy();
  }

  async text(): Promise<string> {
    await this.#drawn;
    return this.emulator.text();
  }

  async shows(what: string | RegExp): Promise<void> {
    await until(async () => {
      const text = await this.text();
      return typeof what === 'string' ? text.includes(what) : what.test(text);
    }, () => `${String(what)} on\n${this.emulator.text()}`);
  }

  /** Wait for its end; the exit code. */
  async ended(): Promise<number> {
    const exit = await until(() => this.#exit, () => `still running, showing\n${this.emulator.text()}`);
    await this.#drawn;
    return exit?.code ?? -1;
  }

  /** End it whatever state it is in. */
  async kill(): Promise<void> {
    if (this.#exit === null) {
      try {
        process.kill(this.pid, 'SIGKILL');
      } catch {
        // It was gone already.
      }
      if (!this.#closed) await this.ended();
    }
  }
}
