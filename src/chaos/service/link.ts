/** One injector, as kbtop holds it: its process, signs of life, questions and answers. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { ChaosError } from '../door.ts';
import { LineReader } from './lines.ts';
import { type Ask, BEAT_MS, DOOR_FD, type InjectorSettings, readToKbtop, type ToKbtop, writeToInjector } from './messages.ts';
import { Questions } from './questions.ts';

/** From being asked to go to being killed. */
const POLITE_MS = 2000;
const MAX_UNREAD = 65_536;
const MAX_STDERR = 4096;

export interface LinkOptions {
  /** How to start it. */
  readonly command: readonly [string, ...string[]];
  readonly settings: InjectorSettings;
  /** Everything but answers. */
  readonly heard: (message: Exclude<ToKbtop, { t: 'answer' | 'error' }>) => void;
  /** Called once: the process is gone. */
  readonly gone: (reason: string) => void;
}

export class Link {
  readonly #child: ChildProcess;
  readonly #door: Duplex | null;
  readonly #heard: LinkOptions['heard'];
  readonly #gone: LinkOptions['gone'];
  readonly #reader = new LineReader();
  readonly #questions = new Questions();
  readonly #exited: Promise<void>;
  #beat: NodeJS.Timeout | null = null;
  #stderr = '';
  #bye: string | null = null;
  #over = false;

  constructor({ command: [program, ...args], settings, heard, gone }: LinkOptions) {
    this.#heard = heard;
    this.#gone = gone;
    // A session of its own: Ctrl-C and Ctrl-Z on the terminal are kbtop's, which then ends or loses its faults.
    this.#child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], detached: true });
    const child = this.#child;
    this.#door = (child.stdio[DOOR_FD] as Duplex | null | undefined) ?? null;
    this.#door?.on('error', () => {}).on('data', (chunk: Buffer) => this.#take(chunk));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.#stderr = (this.#stderr + text).slice(-MAX_STDERR); });
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => this.#lose(`the injector cannot be started: ${error.message}`, resolve));
      child.once('close', (code, signal) => this.#lose(this.#reasonOf(code, signal), resolve));
    });
    this.#send(writeToInjector({ t: 'hello', settings }));
    this.#beat = setInterval(() => { if ((this.#door?.writableLength ?? 0) < MAX_UNREAD) this.#send(writeToInjector({ t: 'beat' })); }, BEAT_MS);
    this.#beat.unref();
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  get over(): boolean {
    return this.#over;
  }

  #send(text: string): void {
    if (this.#door !== null && !this.#door.destroyed && this.#door.writable) this.#door.write(text);
  }

  /** @throws ChaosError */
  ask(ask: Ask): Promise<unknown> {
    if (this.#over) return Promise.reject(new ChaosError('failed', 'the injector is gone'));
    const say = (id: number): void => this.#send(writeToInjector({ t: 'ask', id, ask }));
    // Who does not answer may not be able to end a fault either: the kernel does it when the process is gone.
    return this.#questions.ask(ask, say, (patience) => {
      this.#bye ??= `the injector did not answer for ${patience / 1000} s and was ended`;
      this.#child.kill('SIGKILL');
    });
  }

  #take(chunk: Buffer): void {
    for (const line of this.#reader.push(chunk)) {
      const message = 'value' in line ? readToKbtop(line.value) : null;
      if (message === null) continue;
      switch (message.t) {
        case 'answer': this.#questions.answer(message.id, message.value); break;
        case 'error': this.#questions.fail(message.id, new ChaosError(message.kind, message.message)); break;
        case 'bye':
          this.#bye = message.reason;
          this.#heard(message);
          break;
        default: this.#heard(message);
      }
    }
  }

  #reasonOf(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.#bye !== null) return this.#bye;
    const said = this.#stderr.trim().split('\n').at(-1) ?? '';
    return `the injector ended unexpectedly (${signal ?? `exit code ${code}`}${said === '' ? '' : `: ${said}`})`;
  }

  #lose(reason: string, done: () => void): void {
    if (!this.#over) {
      this.#over = true;
      if (this.#beat !== null) clearInterval(this.#beat);
      this.#door?.destroy();
      this.#gone(reason);
      this.#questions.failAll(reason);
    }
    done();
  }

  /** Ends it, politely first. Resolves when the process is gone. */
  async end(): Promise<void> {
    if (this.#over) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), POLITE_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}
