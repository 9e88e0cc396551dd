import { describe, expect, it } from 'vitest';
import { Printer } from '../../../src/cli/chaos/printer.ts';
import { OutputClosed } from '../../../src/cli/errors.ts';

describe('Printer', () => {
  it('prints in order, and what came meanwhile together', async () => {
    const printed: string[] = [];
    const printer = new Printer(async (text) => { await Promise.resolve(); printed.push(text); });
    for (const line of ['a', 'b', 'c']) printer.line(line);
    await printer.flush();
    printer.line('d');
    await printer.flush();
    expect(printed.join('')).toBe('a\nb\nc\nd\n');
  });

  it('leaves out what may be when the reader is too slow, and counts it', async () => {
    const slow = Promise.withResolvers<void>();
    let text = '';
    const printer = new Printer(async (more) => { await slow.promise; text += more; });
    for (let i = 0; i < 20_001; i++) printer.line('hit', false);
    printer.line('end');
    slow.resolve();
    await printer.flush();
    expect(printer.leftOut).toBe(10_000);
    expect(text.split('\n').filter((line) => line === 'hit')).toHaveLength(10_001);
    expect(text.endsWith('\nend\n')).toBe(true);
  });

  it('says once that nobody reads any more', async () => {
    const printer = new Printer(async () => { throw new OutputClosed(); });
    printer.line('a');
    await expect(printer.failed).rejects.toBeInstanceOf(OutputClosed);
    printer.line('b');
    await printer.flush();
  });
});
