import { Resvg } from '@resvg/resvg-js';
import xterm from '@xterm/headless';
import { describe, expect, it } from 'vitest';
import { CELL, shapesOf } from '../../screenshots/glyphs.ts';
import { BACKGROUND, FOREGROUND, hex, indexed } from '../../screenshots/palette.ts';
import { toSvg } from '../../screenshots/svg.ts';

const PADDING = 12;

async function svgOf(text: string, cols = 20, rows = 2): Promise<string> {
  const terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(text, resolve));
  return toSvg(terminal);
}

/** The picture's colour at a point inside a cell, 0 to 1 each way, as #rrggbb. */
async function pixels(text: string): Promise<(column: number, x: number, y: number) => string> {
  const image = new Resvg(await svgOf(text), { font: { loadSystemFonts: false } }).render();
  return (column, x, y) => {
    const at = Math.floor(PADDING + (column + x) * CELL.width) + Math.floor(PADDING + y * CELL.height) * image.width;
    return `#${[...image.pixels.subarray(at * 4, at * 4 + 3)].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
  };
}

const ground = hex(BACKGROUND);
const ink = hex(FOREGROUND);

describe('colours', () => {
  it.each([
    ['16 colours', '\x1b[42m ', indexed(2)],
    ['bright ones', '\x1b[101m ', indexed(9)],
    ['256 colours', '\x1b[48;5;208m ', [255, 135, 0]],
    ['greys', '\x1b[48;5;244m ', [128, 128, 128]],
    ['true colour', '\x1b[48;2;1;2;3m ', [1, 2, 3]],
    ['inverse', '\x1b[7m ', FOREGROUND],
    ['inverse with a colour', '\x1b[7;31m ', indexed(1)],
  ] as const)('draws %s', async (_, text, colour) => {
    const at = await pixels(text);
    expect(at(0, 0.5, 0.5)).toBe(hex(colour));
    expect(at(1, 0.5, 0.5)).toBe(ground);
  });

  it('draws dim between text and ground', async () => {
    const at = await pixels('\x1b[2m█');
    expect([ink, ground]).not.toContain(at(0, 0.5, 0.5));
  });
});

describe('shapes', () => {
  it('leave no gap between neighbours', async () => {
    const at = await pixels('██\x1b[2;1H──\x1b[1;4H│\x1b[2;4H│');
    for (const x of [0, 0.5, 0.95]) expect([at(0, x, 0.5), at(1, x, 0.5)]).toEqual([ink, ink]);
    for (const x of [0, 0.5, 0.9]) expect([at(0, x, 1.5), at(1, x, 1.5)]).toEqual([ink, ink]);
    for (const y of [0, 0.5, 0.95, 1, 1.5]) expect(at(3, 0.5, y)).toBe(ink);
  });

  it('fill as much of the cell as the character says', async () => {
    const at = await pixels('▄▌▂▗');
    expect([at(0, 0.5, 0.25), at(0, 0.5, 0.75)]).toEqual([ground, ink]);
    expect([at(1, 0.25, 0.5), at(1, 0.75, 0.5)]).toEqual([ink, ground]);
    expect([at(2, 0.5, 0.6), at(2, 0.5, 0.85)]).toEqual([ground, ink]);
    expect([at(3, 0.75, 0.75), at(3, 0.25, 0.75), at(3, 0.75, 0.25)]).toEqual([ink, ground, ground]);
  });

  it('set the dots of braille', async () => {
    const at = await pixels('⠁⢀⣿');
    expect([at(0, 0.25, 0.125), at(0, 0.75, 0.125), at(0, 0.75, 0.875)]).toEqual([ink, ground, ground]);
    expect([at(1, 0.75, 0.875), at(1, 0.25, 0.125)]).toEqual([ink, ground]);
    for (const x of [0.25, 0.75]) for (const y of [0.125, 0.375, 0.625, 0.875]) expect(at(2, x, y)).toBe(ink);
  });

  it('exist for every block, braille and plain border character, and for no letter', () => {
    const range = (first: number, last: number): string[] => Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i));
    const drawn = [...range(0x2580, 0x259f), ...range(0x2801, 0x28ff), ...'─│╭╮╰╯┌┐└┘├┤┬┴┼━┃╸╺═║'];
    expect(drawn.filter((char) => (shapesOf(char)?.length ?? 0) === 0)).toEqual([]);
    expect(['', 'a', '~', '漢', 'µ', '▶'].filter((char) => shapesOf(char) !== null)).toEqual([]);
  });
});

describe('text', () => {
  it('is placed by cell, wide characters taking two', async () => {
    const svg = await svgOf('ab 漢c');
    expect(svg).toMatch(/<text x="0"[^>]*>ab <\/text>/);
    expect(svg).toMatch(/<text x="30"[^>]*>漢<\/text>/);
    expect(svg).toMatch(/<text x="50"[^>]*>c/);
  });

  it('is escaped and keeps its attributes', async () => {
    const svg = await svgOf('\x1b[1;3m<&">\x1b[0m');
    expect(svg).toMatch(/font-weight="bold" font-style="italic"[^>]*>&lt;&amp;&quot;&gt;/);
  });

  it('is underlined and struck through', async () => {
    expect(await svgOf('\x1b[4mab\x1b[0m')).toContain('width="20" height="1"');
    expect(await svgOf('\x1b[9mabc\x1b[0m')).toContain('width="30" height="1"');
  });
});
