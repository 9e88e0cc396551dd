/** A terminal for tests: what is written to it can be read from its screen, and keys can be pressed on it. */
import { EventEmitter } from 'node:events';
import xterm from '@xterm/headless';
import type { TtyIn } from '../../../src/ui/terminal/input.ts';
import type { TtyOut } from '../../../src/ui/terminal/output.ts';

const DEADLINE_MS = 20_000;

/** Wait until `check` gives something true. Fails with what `tell` says. */
export async function until<T>(check: () => T | Promise<T>, tell: () => string, deadlineMs = DEADLINE_MS): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${tell()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A terminal emulator without a window. */
export class Emulator {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  /** All that was ever written. */
  written = '';

  /** @param convertEol do what the kernel's terminal driver does, where there is none between: a line feed also returns */
  constructor(columns: number, rows: number, convertEol = false) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1000, convertEol });
  }

  write(data: string): Promise<void> {
    this.written += data;
    return new Promise((resolve) => this.#terminal.write(data, resolve));
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  /** On the alternate screen, where the shell's own lines are not touched. */
  get alternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  /** Visible lines, without blanks at their ends. */
  lines(): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, y) => active.getLine(active.viewportY + y)?.translateToString(true) ?? '');
  }

  text(): string {
    return this.lines().join('\n');
  }

  get modes(): { readonly bracketedPaste: boolean } {
    return { bracketedPaste: this.#terminal.modes.bracketedPasteMode };
  }

  /** Hidden by the last word about it. */
  get cursorHidden(): boolean {
    return this.written.lastIndexOf('\x1b[?25l') > this.written.lastIndexOf('\x1b[?25h');
  }
}

/** stdout of a program that runs in this process. */
export class Screen extends EventEmitter implements TtyOut {
  readonly isTTY = true;
  readonly emulator: Emulator;
  columns: number;
  rows: number;
  writable = true;
  writableNeedDrain = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.emulator = new Emulator(columns || 80, rows || 24, true);
  }

  write(data: string, callback?: (error?: Error | null) => void): boolean {
    this.#writing = this.emulator.write(data);
    if (callback) void this.#writing.then(() => callback());
    return true;
  }

  getColorDepth(): number {
    return 4;
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.emulator.resize(columns, rows);
    this.emit('resize');
  }

  /** Wait until the screen shows a text or matches. */
  async shows(what: string | RegExp): Promise<void> {
    await until(async () => {
      await this.#writing;
      const text = this.emulator.text();
      return typeof what === 'string' ? text.includes(what) : what.test(text);
    }, () => `${String(what)} on\n${this.emulator.text()}`);
  }
}

/** stdin of a program that runs in this process. */
export class Keys extends EventEmitter implements TtyIn {
  readonly isTTY = true;
  raw = false;

  setRawMode(on: boolean): this {
    this.raw = on;
    return this;
  }

  resume(): this {
    return this;
  }

  pause(): this {
    return this;
  }

  /** Send bytes as a terminal would. */
  press(...inputs: readonly string[]): void {
    for (const input of inputs) this.emit('data', Buffer.from(input));
  }
}
