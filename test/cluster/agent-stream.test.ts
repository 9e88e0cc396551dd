import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Command, agentStream } from '../../src/cluster/agent-stream.ts';
import { until } from '../identity/kubernetes/support/clock.ts';

/** A command in a pod: what it gets is in `input`, and it says what the test pushes. */
class FakeCommand extends Duplex implements Command {
  readonly stderr = new Readable({ read() {} });
  readonly #exit = Promise.withResolvers<Awaited<Command['exit']>>();
  readonly exit = this.#exit.promise;
  readonly input = new PassThrough();
  shut = false;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.input.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.input.end(done);
  }

  finish(status: Awaited<Command['exit']>, words = ''): void {
    if (words !== '') this.stderr.push(words);
    this.stderr.push(null);
    this.push(null);
    this.#exit.resolve(status);
  }

  close(): void {
    this.shut = true;
  }
}

const errorOf = async (stream: Duplex): Promise<string> => {
  stream.resume();
  const [error] = (await once(stream, 'error')) as [Error];
  return error.message;
};

describe('a stream into an agent', () => {
  it('carries bytes both ways, as they are', async () => {
    const command = new FakeCommand(), stream = agentStream(command);
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 256));
    command.push(bytes);
    const got: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => got.push(chunk));
    stream.write(bytes);
    await until('everything', () => Buffer.concat(got).length === bytes.length && command.input.readableLength > 0);
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
    expect((command.input.read() as Buffer).equals(bytes.subarray(0, command.input.readableLength || bytes.length))).toBe(true);
    stream.destroy();
    await once(stream, 'close');
    expect(command.shut).toBe(true);
  });

  it('fetches nothing that nobody reads', async () => {
    const command = new FakeCommand(), stream = agentStream(command);
    for (let i = 0; i < 100; i++) command.push(Buffer.alloc(65_536));
    await until('a pause', () => command.isPaused());
    expect(stream.readableLength).toBeLessThan(1_000_000);
    stream.on('data', () => {});
    await until('the rest', () => command.readableLength === 0);
    stream.destroy();
  });

  it('ends with the command\'s last words, or how it ended', async () => {
    const said = new FakeCommand(), saying = agentStream(said);
    said.finish({ kind: 'exited', code: 4 }, 'a warning\nkbtop: nobody serves at /run/kbtop/kbtop.sock: start kbtop serve\n');
    expect(await errorOf(saying)).toBe('nobody serves at /run/kbtop/kbtop.sock: start kbtop serve');
    const mute = new FakeCommand(), silent = agentStream(mute);
    mute.finish({ kind: 'exited', code: 137 });
    expect(await errorOf(silent)).toBe('kbtop attach ended with 137');
    const lost = new FakeCommand(), breaking = agentStream(lost);
    lost.finish({ kind: 'lost', reason: 'the connection broke off' });
    expect(await errorOf(breaking)).toBe('the connection broke off');
    const loud = new FakeCommand(), shouting = agentStream(loud);
    for (let i = 0; i < 2000; i++) loud.stderr.push(`line ${i} ${'x'.repeat(50)}\n`);
    loud.finish({ kind: 'failed', reason: 'whatever' }, 'the last line');
    expect(await errorOf(shouting)).toBe('the last line');
  });
});
