import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InputEvent } from '../../src/ui/keys.ts';
import { KeyParser } from '../../src/ui/keys.ts';

const names = (events: readonly InputEvent[]) => events.map((event) => (event.kind === 'key' ? event.key.name : `paste:${event.text}`));

/** All of the input at once, then silence. */
function parse(input: string): string[] {
  const parser = new KeyParser();
  return names([...parser.push(input), ...parser.flush()]);
}

describe('KeyParser', () => {
  it.each([
    ['a', 'a'], ['A', 'A'], ['/', '/'], ['漢', '漢'], ['😀', '😀'], [' ', ' '],
    ['\r', 'enter'], ['\n', 'enter'], ['\t', 'tab'], ['\x7f', 'backspace'], ['\b', 'backspace'], ['\x03', 'ctrl-c'], ['\x1a', 'ctrl-z'], ['\x0c', 'ctrl-l'], ['\x00', 'ctrl-space'], ['\x1b', 'esc'],
    ['\x1b[A', 'up'], ['\x1bOA', 'up'], ['\x1b[B', 'down'], ['\x1bOC', 'right'], ['\x1b[D', 'left'], ['\x1b[1;5C', 'ctrl-right'], ['\x1b[1;2A', 'shift-up'], ['\x1b[1;8B', 'ctrl-alt-shift-down'],
    ['\x1b[H', 'home'], ['\x1bOH', 'home'], ['\x1b[1~', 'home'], ['\x1b[7~', 'home'], ['\x1b[F', 'end'], ['\x1b[4~', 'end'], ['\x1b[5~', 'pageup'], ['\x1b[6~', 'pagedown'], ['\x1b[3~', 'delete'], ['\x1b[Z', 'shift-tab'],
    ['\x1bOP', 'f1'], ['\x1b[11~', 'f1'], ['\x1b[[A', 'f1'], ['\x1bOS', 'f4'], ['\x1b[14~', 'f4'], ['\x1b[15~', 'f5'], ['\x1b[[E', 'f5'], ['\x1b[17~', 'f6'], ['\x1b[20~', 'f9'], ['\x1b[21~', 'f10'], ['\x1b[24~', 'f12'], ['\x1b[1;2P', 'shift-f1'],
    ['\x1bx', 'alt-x'], ['\x1b\r', 'alt-enter'], ['\x1b[', 'alt-['], ['\x1bO', 'alt-O'],
  ])('%j is %s', (input, name) => {
    expect(parse(input)).toEqual([name]);
  });

  it.each([
    ['mouse press', '\x1b[<0;10;5M'], ['mouse wheel', '\x1b[<64;1;1M'], ['focus in', '\x1b[I'], ['cursor position', '\x1b[12;40R'], ['device attributes', '\x1b[?62;22c'],
    ['colour report', '\x1b]11;rgb:0000/0000/0000\x07'], ['version report', '\x1bP>|tmux 3.3a\x1b\\'], ['invalid UTF-8', '\ufffd'], ['C1', '\x9b'],
  ])('%s is no key', (_what, input) => {
    expect(parse(`${input}q`)).toEqual(['q']);
  });

  it('takes several keys at once', () => {
    expect(parse('jj\x1b[Bk\x1b\x1b[A')).toEqual(['j', 'j', 'down', 'k', 'esc', 'up']);
  });

  it('gives pasted text as one event, whatever it holds', () => {
    expect(parse('\x1b[200~q\x03rm -rf\x1b[A\x1b[201~j')).toEqual(['paste:q\x03rm -rf\x1b[A', 'j']);
  });

  it('does not tell ESC from the start of a sequence before a silence', () => {
    const parser = new KeyParser();
    expect(names(parser.push('\x1b'))).toEqual([]);
    expect(parser.pending).toBe(true);
    expect(names(parser.push('[5'))).toEqual([]);
    expect(names(parser.push('~'))).toEqual(['pageup']);
    expect(parser.pending).toBe(false);
    parser.push('\x1b');
    expect(names(parser.flush())).toEqual(['esc']);
  });

  it('does not lose keys to a sequence that never ends', () => {
    expect(parse(`\x1b[${'1;'.repeat(200)}`)).toEqual([]);
    const parser = new KeyParser();
    parser.push('\x1b[12');
    expect(parser.flush()).toEqual([]);
    expect(names(parser.push('q'))).toEqual(['q']);
    expect(parse('\x1b[1\x03')).toEqual(['ctrl-c']);
  });

  it('gives the same keys however the input is cut', () => {
    const piece = fc.constantFrom('a', 'ü', '漢', '\r', '\x03', '\x1b[A', '\x1bOB', '\x1b[5~', '\x1b[1;5C', '\x1bx', '\x1b[200~paste\x1b[201~', '\x1b[<0;1;2M', '\x1b[[B', '\x1b]0;x\x07');
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(40), { maxLength: 8 }), (pieces, cuts) => {
      const input = pieces.join('');
      const at = [...new Set([0, ...cuts.map((cut) => Math.min(cut, input.length)), input.length])].toSorted((a, b) => a - b);
      const parser = new KeyParser();
      const events = at.slice(1).flatMap((end, i) => parser.push(input.slice(at[i], end)));
      expect(names([...events, ...parser.flush()])).toEqual(parse(input));
    }), { numRuns: 1000 });
  });

  it('never throws and always comes to an end', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom('\x1b', '\x1b[', '\x1bO', '\x1b[200~', '\x1bP', ';', '1', '~'))), (pieces) => {
      const parser = new KeyParser();
      for (const piece of pieces) parser.push(piece);
      parser.flush();
      expect(names(parser.push('\x1b[201~'))).toBeInstanceOf(Array);
    }), { numRuns: 2000 });
  });
});
