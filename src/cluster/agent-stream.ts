/**
 * The stream of a command in an agent's pod as one that a session can be spoken over: when the command ends, it says why,
 * in the command's own last words where it had any.
 */
import { Buffer } from 'node:buffer';
import { Duplex, type Readable } from 'node:stream';
import { oneLine } from '../identity/kubernetes/failure.ts';

/** What `openExec` gives: see there. */
export interface Command extends Duplex {
  readonly stderr: Readable;
  /** Never rejects. */
  readonly exit: Promise<{ readonly kind: 'exited'; readonly code: number } | { readonly kind: 'failed' | 'lost'; readonly reason: string }>;
  close(): void;
}

/** The end of stderr that is kept, bytes. */
const LAST_WORDS = 4096;

function lastLine(words: Buffer): string | null {
  const line = words.toString('utf8').trim().split('\n').at(-1) ?? '';
  return oneLine(line.replace(/^kbtop: /, '')) || null;
}

class AgentStream extends Duplex {
  readonly #command: Command;
  #words = Buffer.alloc(0);

  constructor(command: Command) {
    super({ allowHalfOpen: false });
    this.#command = command;
    command.stderr.on('data', (chunk: Buffer) => { this.#words = Buffer.concat([this.#words, chunk]).subarray(-LAST_WORDS); });
    command.stderr.on('error', () => {});
    command.on('data', (chunk: Buffer) => { if (!this.push(chunk)) command.pause(); });
    command.on('error', (error) => this.destroy(error));
    command.on('end', () => void this.#over());
    command.on('close', () => void this.#over());
  }

  /** A session that is wanted ends by being destroyed from here: when the command ends, something is wrong. */
  async #over(): Promise<void> {
    const exit = await this.#command.exit;
    if (this.destroyed) return;
    const reason = exit.kind === 'exited' ? `kbtop attach ended with ${exit.code}` : exit.reason;
    this.destroy(new Error(lastLine(this.#words) ?? reason));
  }

  override _read(): void {
    this.#command.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#command.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#command.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#command.close();
    done(error);
  }
}

export const agentStream = (command: Command): Duplex => new AgentStream(command);
