/** The injector as a process of its own: the socket pair to kbtop, signals, the watchdog, and an end in every case. */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditReason } from '../audit.ts';
import { ChaosError } from '../door.ts';
import { Injector, type InjectorParts } from './injector.ts';
import { type Line, LineReader } from './lines.ts';
import { DOOR_FD, readToInjector } from './messages.ts';
import { StreamOutput } from './output.ts';
import { terminalOf } from './processes.ts';
import { Watchdog } from './watchdog.ts';

const POLL_MS = 100;
/** Questions that may be open at once. */
const MAX_ASKS = 64;
/** For the audit's last lines, and until the last words are read. Milliseconds. */
const LAST_LINES_MS = 1000;
const LAST_WORDS_MS = 200;
const SIGNALS = { SIGTERM: 'stopped', SIGHUP: 'stopped', SIGINT: 'interrupted' } as const satisfies Partial<Record<NodeJS.Signals, AuditReason>>;

/** A line that was not understood is nobody's question: the other side is no kbtop of this version. */
const MAX_PROBLEMS = 16;

class InjectorProcess {
  readonly #socket = new Socket({ fd: DOOR_FD, readable: true, writable: true });
  readonly #output = new StreamOutput(this.#socket);
  readonly #reader = new LineReader();
  readonly #parts: InjectorParts;
  readonly #done = Promise.withResolvers<void>();
  readonly #watchdog: Watchdog;
  readonly #timer: NodeJS.Timeout;
  #injector: Injector | null = null;
  #asks = 0;
  #problems = 0;
  #ending = false;

  constructor(parts: InjectorParts) {
    this.#parts = parts;
    this.#watchdog = new Watchdog({ alarm: (detail) => this.#end('watchdog', detail) });
    this.#timer = setInterval(() => this.#guard(() => this.#injector?.poll()), POLL_MS);
    for (const [name, reason] of Object.entries(SIGNALS)) process.on(name, () => this.#end(reason, name === 'SIGINT' ? null : `the injector got ${name}`));
    process.on('uncaughtException', (error) => this.#end('error', error.message));
    process.on('unhandledRejection', (error) => this.#end('error', error instanceof Error ? error.message : String(error)));
    this.#socket.on('data', (chunk: Buffer) => this.#guard(() => { for (const line of this.#reader.push(chunk)) this.#take(line); }));
    this.#socket.on('error', () => this.#end('watchdog', 'the way to kbtop broke'));
    this.#socket.on('close', () => this.#end('watchdog', 'kbtop ended without taking its faults back'));
    this.#socket.on('end', () => this.#end('watchdog', 'kbtop ended without taking its faults back'));
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#end('error', error instanceof Error ? error.message : String(error));
    }
  }

  #take(line: Line): void {
    const message = 'value' in line ? readToInjector(line.value) : null;
    if (message === null) {
      if (++this.#problems > MAX_PROBLEMS || this.#injector === null) this.#end('error', 'kbtop says what this injector does not understand: were its files replaced while it ran?');
      return;
    }
    this.#watchdog.heard();
    switch (message.t) {
      case 'beat': return;
      case 'hello':
        if (this.#injector !== null) return;
        this.#injector = new Injector({
          settings: message.settings, parts: this.#parts, output: this.#output,
          who: { uid: process.getuid?.() ?? 0, sudoUser: process.env['SUDO_USER'] || null, tty: terminalOf(process.ppid), pid: process.ppid },
        });
        this.#injector.onBroken = (error) => this.#end('error', error instanceof Error ? error.message : String(error));
        return;
      case 'bad': this.#output.send({ t: 'error', id: message.id, kind: 'failed', message: message.problem }); return;
      case 'ask': void this.#answer(message.id, this.#injector, message.ask); return;
    }
  }

  async #answer(id: number, injector: Injector | null, ask: Parameters<Injector['ask']>[0]): Promise<void> {
    if (injector === null || this.#asks >= MAX_ASKS) {
      this.#output.send({ t: 'error', id, kind: 'failed', message: injector === null ? 'the injector was not greeted' : 'the injector is asked too much at once' });
      return;
    }
    this.#asks++;
    try {
      this.#output.send({ t: 'answer', id, value: await injector.ask(ask) });
    } catch (error) {
      const { kind, message } = error instanceof ChaosError ? error : new ChaosError('failed', String(error));
      this.#output.send({ t: 'error', id, kind, message });
    } finally {
      this.#asks--;
    }
  }

  #end(reason: AuditReason, detail: string | null): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#watchdog[Symbol.dispose]();
    clearInterval(this.#timer);
    void this.#lastWords(reason, detail).finally(() => this.#done.resolve());
  }

  async #lastWords(reason: AuditReason, detail: string | null): Promise<void> {
    await Promise.race([this.#injector?.end(reason, detail), sleep(LAST_LINES_MS)]);
    this.#output.send({ t: 'bye', reason: detail ?? (reason === 'interrupted' ? 'the injector was interrupted' : 'the injector was ended') });
    if (this.#socket.destroyed) return;
    await Promise.race([new Promise<void>((resolve) => { this.#socket.end(() => resolve()); }), sleep(LAST_WORDS_MS)]);
  }
}

/** Resolves when everything is out of the kernel; whoever calls it then ends the process. */
export const runInjector = (parts: InjectorParts): Promise<void> => new InjectorProcess(parts).done;
