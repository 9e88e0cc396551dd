import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { held } from '../../src/cluster/hold.ts';

function hold(silenceMs: number): { readonly input: PassThrough; readonly said: () => string; readonly stop: AbortController; readonly end: Promise<string> } {
  const input = new PassThrough();
  const output = new PassThrough();
  const stop = new AbortController();
  return { input, said: () => output.read()?.toString() ?? '', stop, end: held({ input, output, silenceMs, signal: stop.signal }) };
}

describe('a pod is held', () => {
  it('until whoever holds it lets go', async () => {
    const { input, end } = hold(60_000);
    input.end();
    expect(await end).toBe('released');
  });

  it('until the stream breaks', async () => {
    const { input, end } = hold(60_000);
    input.destroy(new Error('reset'));
    expect(await end).toBe('released');
  });

  it('until nothing has been heard for a while', async () => {
    expect(await hold(20).end).toBe('silent');
  });

  it('until it is told to end', async () => {
    const { stop, end } = hold(60_000);
    stop.abort();
    expect(await end).toBe('signal');
  });

  it('and answers, so that the other side knows', async () => {
    const { input, said, end } = hold(60_000);
    input.write('.');
    await new Promise((resolve) => { setImmediate(resolve); });
    expect(said()).toBe('.');
    input.end();
    await end;
  });
});
