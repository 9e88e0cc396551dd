/** The screen on a terminal: takes it over, draws, and gives it back as it was, whatever happens. */
import { writeSync } from 'node:fs';
import { render } from 'ink';
import type { FrameSource } from '../frame/source.ts';
import { App } from './app.tsx';
import { Controller } from './controller.ts';
import type { Start, State } from './model.ts';
import { holdWrites } from './terminal/hold.ts';
import type { TtyIn } from './terminal/input.ts';
import { Input } from './terminal/input.ts';
import type { TtyOut } from './terminal/output.ts';
import { ScreenOutput, sizeOf } from './terminal/output.ts';
import { watchSignals } from './terminal/signals.ts';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?2004h';
const CLEAR = '\x1b[0m\x1b[2J\x1b[H';
/** Paste mode and colours off, alternate screen left, cursor shown. */
const LEAVE = '\x1b[?2004l\x1b[0m\x1b[?1049l\x1b[?25h';
const PASTE_ON = '\x1b[?2004h';
const PASTE_OFF = '\x1b[?2004l\x1b[0m';
const MAX_FPS = 25;
/** A terminal that does not take the last characters within this time does not get them, milliseconds. */
const LAST_WORDS_MS = 500;
const INTERRUPTED = 130;

/** The terminal and the environment; tests bring their own. */
export interface UiHost {
  readonly stdin: TtyIn;
  readonly stdout: TtyOut;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Take over signals, uncaught errors and stray writes of this process. */
  readonly ownsProcess: boolean;
}

/** Collection runs on this thread: a write must not wait for a slow terminal. */
function setBlocking(tty: TtyOut, on: boolean): void {
  // Node has no public name for it.
  const { _handle: handle } = tty as { readonly _handle?: { setBlocking?(on: boolean): unknown } | null };
  handle?.setBlocking?.(on);
}

export class Session {
  readonly #host: UiHost;
  readonly #output: ScreenOutput;
  readonly #input: Input;
  readonly #controller: Controller;
  readonly #onScreen: (() => void) | undefined;
  readonly #result = Promise.withResolvers<number>();
  #ink: ReturnType<typeof render> | null = null;
  #signals: ReturnType<typeof watchSignals> | null = null;
  /** What must be undone at the end, last first. */
  #undo: (() => void)[] = [];
  #notify: () => void = () => {};
  /** The state has changed while the terminal was still taking the last screen. */
  #late = false;
  #ending = false;

  constructor(source: FrameSource, start: Start, host: UiHost) {
    this.#host = host;
    this.#onScreen = start.options.onScreen;
    this.#output = new ScreenOutput(host.stdout);
    this.#controller = new Controller(source, start, { quit: (code) => this.#end(code), suspend: () => this.#suspend(), redraw: () => this.#redraw() });
    this.#input = new Input(host.stdin, { events: (events) => this.#controller.input(events), closed: () => this.#closed() });
  }

  /** Resolves with the exit code when the terminal is as it was; rejects with what went wrong, then, too. */
  async run(): Promise<number> {
    try {
      this.#open();
    } catch (error) {
      this.#fail(error);
    }
    return this.#result.promise;
  }

  #open(): void {
    const { stdin, stdout, ownsProcess } = this.#host;
    if (ownsProcess) this.#takeProcess();
    this.#listen(stdout, 'error', () => this.#closed());
    this.#listen(stdout, 'resize', () => this.#resize());
    this.#listen(stdout, 'drain', () => this.#drained());
    setBlocking(stdout, false);
    this.#ink = render(<App store={this.#view} />, {
      stdout: this.#output as unknown as NodeJS.WritableStream, stdin: stdin as unknown as NodeJS.ReadableStream,
      alternateScreen: true, incrementalRendering: true, interactive: true, exitOnCtrlC: false, patchConsole: false, maxFps: MAX_FPS,
    });
    this.#ink.waitUntilExit().catch((error: unknown) => this.#fail(error));
    this.#output.write(PASTE_ON);
    this.#input.start();
    this.#controller.connect((error) => this.#fail(error));
    this.#onScreen?.();
  }

  #takeProcess(): void {
    this.#signals = watchSignals({
      end: () => this.#end(INTERRUPTED), stop: () => this.#suspend(), resumed: () => this.#resumed(), crashed: (error) => this.#fail(error),
    });
    this.#undo.push(this.#signals.release, holdWrites(process.stderr), holdWrites(process.stdout));
    // Should anything end the process past us, the terminal is still put right.
    const last = (): void => {
      // Ink would draw once more, on the screen that has just been given back.
      this.#output.die();
      try {
        writeSync(1, LEAVE);
      } catch {
        // Nobody is there to see it.
      }
      this.#input.stop();
    };
    process.on('exit', last);
    this.#undo.push(() => process.removeListener('exit', last));
  }

  #listen(stream: TtyOut, event: string, listener: () => void): void {
    stream.on(event, listener);
    // A late error of a closed terminal must find somebody.
    if (event !== 'error') this.#undo.push(() => stream.off(event, listener));
  }

  /** The store as React sees it: silent while the terminal is busy, so that a slow one gets fewer screens. */
  readonly #view = {
    getState: (): State => this.#controller.store.getState(),
    subscribe: (listener: () => void): (() => void) => {
      this.#notify = listener;
      return this.#controller.store.subscribe(() => {
        if (this.#output.busy) this.#late = true;
        else listener();
      });
    },
  };

  #drained(): void {
    if (!this.#late) return;
    this.#late = false;
    this.#notify();
  }

  #resize(): void {
    const size = sizeOf(this.#host.stdout);
    if (this.#ending || (size.width === this.#output.columns && size.height === this.#output.rows)) return;
    this.#output.setSize(size);
    this.#controller.store.dispatch({ type: 'resize', size });
    this.#redraw();
  }

  /** Draw everything anew on a blank screen, whatever it shows now. */
  #redraw(): void {
    if (this.#ending || this.#ink === null) return;
    this.#output.write(CLEAR);
    this.#ink.clear();
    this.#ink.rerender(<App store={this.#view} />);
    // Ink draws at once when the size changes, also to the same one.
    this.#output.emit('resize');
  }

  #suspend(): void {
    if (this.#ending || this.#signals === null) return;
    this.#input.stop();
    setBlocking(this.#host.stdout, true);
    this.#output.write(LEAVE);
    this.#signals.stopSelf();
    this.#back();
  }

  /** Continued after a stop from outside: the shell may have changed everything. */
  #resumed(): void {
    if (this.#ending) return;
    this.#input.stop();
    this.#back();
  }

  #back(): void {
    setBlocking(this.#host.stdout, false);
    this.#output.write(ENTER);
    this.#input.start();
    this.#redraw();
    this.#resize();
  }

  #closed(): void {
    this.#output.die();
    this.#end(INTERRUPTED);
  }

  #end(code: number): void {
    void this.#leave(() => this.#result.resolve(code));
  }

  #fail(error: unknown): void {
    void this.#leave(() => this.#result.reject(error));
  }

  async #leave(settle: () => void): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#controller.disconnect();
    this.#input.stop();
    await this.#output.flush(LAST_WORDS_MS);
    try {
      this.#ink?.unmount();
      this.#output.write(PASTE_OFF);
    } catch {
      this.#output.die();
    }
    await this.#output.flush(LAST_WORDS_MS);
    setBlocking(this.#host.stdout, true);
    for (const undo of this.#undo.reverse()) undo();
    this.#undo = [];
    settle();
  }
}
