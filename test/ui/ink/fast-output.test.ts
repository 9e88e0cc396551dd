import { describe, expect, it } from 'vitest';
import InkOutput from '../../../node_modules/ink/build/output.js';
import Output from '../../../src/ui/ink/fast-output.ts';
import { placeholder } from '../../../src/ui/ink/placeholder.ts';

const SIZE = { width: 12, height: 3 };
const LINES = ['\u001b[31mred\u001b[39m  x', '│ ▂▃ │', '   padded   '];
const finished = { transformers: [(_dot: string, index: number) => LINES[index] ?? ''] };

/** The same writes on Ink's own canvas and on ours. */
function both(write: (output: InkOutput) => void): [unknown, unknown] {
  const ink = new InkOutput(SIZE), ours = new Output(SIZE);
  write(ink);
  write(ours as unknown as InkOutput);
  return [ours.get(), ink.get()];
}

describe('the short way to a finished screen', () => {
  it.each<[string, (output: InkOutput) => void]>([
    ['a whole screen', (output) => output.write(0, 0, placeholder(SIZE.height), finished)],
    ['nothing', () => {}],
    ['a text that is no placeholder', (output) => output.write(0, 0, 'a\nb\nc', { transformers: [] })],
    ['a screen with something on top', (output) => { output.write(0, 0, placeholder(SIZE.height), finished); output.write(2, 1, 'over', { transformers: [] }); }],
    ['a screen not at the origin', (output) => output.write(1, 0, placeholder(SIZE.height), finished)],
    ['a screen of another height', (output) => output.write(0, 0, placeholder(SIZE.height - 1), finished)],
    ['a clipped text', (output) => { output.clip({ x1: 0, x2: 2, y1: 0, y2: 1 }); output.write(0, 0, 'abcdef', { transformers: [] }); output.unclip(); }],
  ])('%s is what Ink makes of it', (_, write) => {
    const [ours, ink] = both(write);
    expect(ours).toEqual(ink);
  });
});
