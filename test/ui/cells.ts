/** What a screen test looks at: lines without colours, and their exact width in cells. */
import stringWidth from 'string-width';
import { expect } from 'vitest';
import type { Pen } from '../../src/ui/draw/pen.ts';
import { penOf } from '../../src/ui/draw/pen.ts';

const SGR = /\x1b\[[\d;]*m/g;

export const plain = (line: string): string => line.replace(SGR, '');

/** Anything that a terminal would obey, reorder or hide; SGR sequences apart. */
export const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/u;

/** Every line takes exactly `width` cells and holds nothing but text and SGR; there are `height` of them. */
export function expectCells(lines: readonly string[], width: number, height?: number): void {
  if (height !== undefined) expect(lines).toHaveLength(height);
  lines.forEach((line, i) => {
    const text = plain(line);
    if (stringWidth(text) !== width) expect.fail(`line ${i} takes ${stringWidth(text)} cells, not ${width}: ${JSON.stringify(text)}`);
    if (UNSAFE.test(text)) expect.fail(`line ${i} holds what a terminal obeys: ${JSON.stringify(text)}`);
  });
}

/** A pen per kind of terminal. */
export const PENS: readonly Pen[] = [penOf(0, 'ascii'), penOf(16, 'braille'), penOf(256, 'block')];
export const pen = penOf(0, 'braille');
