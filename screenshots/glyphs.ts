/**
 * Borders, blocks and braille as shapes: fonts leave gaps between them, and DejaVu Sans Mono has no braille.
 * Anything not drawn here is left to the font.
 */

/** A cell's size in the picture's units. */
export const CELL = { width: 10, height: 20 } as const;

/** Shapes in one colour: a filled path, a stroked path, or a fill with less than full opacity. */
export interface Shape {
  readonly path: string;
  /** Line width when the path is a line; 0 for a filled area. */
  readonly stroke: number;
  readonly opacity: number;
}

const LIGHT = 1;
const HEAVY = 3;
/** Half a unit off the true middle, so that a line one unit wide covers whole pixels. */
const MIDDLE = { x: CELL.width / 2 + 0.5, y: CELL.height / 2 + 0.5 };
/** From a double line's middle to each of its lines. */
const DOUBLE = 2;

const filled = (path: string, opacity = 1): Shape => ({ path, stroke: 0, opacity });
const line = (path: string, stroke: number): Shape => ({ path, stroke, opacity: 1 });
const rect = (x: number, y: number, width: number, height: number): string => `M${x} ${y}h${width}v${height}h${-width}z`;

/** Arms towards left, right, up, down per character: l light, h heavy, d double, - none. */
const ARMS: Readonly<Record<string, string>> = {
  '─': 'll--', '│': '--ll', '┌': '-l-l', '┐': 'l--l', '└': '-ll-', '┘': 'l-l-', '├': '-lll', '┤': 'l-ll', '┬': 'll-l', '┴': 'lll-', '┼': 'llll',
  '━': 'hh--', '┃': '--hh', '┏': '-h-h', '┓': 'h--h', '┗': '-hh-', '┛': 'h-h-', '┣': '-hhh', '┫': 'h-hh', '┳': 'hh-h', '┻': 'hhh-', '╋': 'hhhh',
  '═': 'dd--', '║': '--dd', '╔': '-d-d', '╗': 'd--d', '╚': '-dd-', '╝': 'd-d-', '╠': '-ddd', '╣': 'd-dd', '╦': 'dd-d', '╩': 'ddd-', '╬': 'dddd',
  '╴': 'l---', '╵': '--l-', '╶': '-l--', '╷': '---l', '╸': 'h---', '╹': '--h-', '╺': '-h--', '╻': '---h', '╼': 'lh--', '╾': 'hl--', '╽': '--lh', '╿': '--hl',
};

const DASHES: Readonly<Record<string, readonly [number, boolean, number]>> = {
  '┄': [3, true, LIGHT], '┅': [3, true, HEAVY], '┆': [3, false, LIGHT], '┇': [3, false, HEAVY],
  '┈': [4, true, LIGHT], '┉': [4, true, HEAVY], '┊': [4, false, LIGHT], '┋': [4, false, HEAVY],
  '╌': [2, true, LIGHT], '╍': [2, true, HEAVY], '╎': [2, false, LIGHT], '╏': [2, false, HEAVY],
};

/** Quarter circles: the sides that they join. */
const ARCS: Readonly<Record<string, readonly [1 | -1, 1 | -1]>> = { '╭': [1, 1], '╮': [-1, 1], '╯': [-1, -1], '╰': [1, -1] };

/** Quadrants of U+2596 to U+259F: 1 upper left, 2 upper right, 4 lower left, 8 lower right. */
const QUADRANTS = [4, 8, 1, 13, 9, 7, 11, 2, 6, 14];

function arms(spec: string): Shape[] {
  const shapes: Shape[] = [];
  const ends = [[0, MIDDLE.y], [CELL.width, MIDDLE.y], [MIDDLE.x, 0], [MIDDLE.x, CELL.height]] as const;
  ends.forEach(([x, y], side) => {
    const kind = spec[side];
    if (kind === undefined || kind === '-') return;
    const stroke = kind === 'h' ? HEAVY : LIGHT;
    // Each arm starts a little behind the middle, so that corners close.
    const back = kind === 'd' ? DOUBLE + LIGHT / 2 : stroke / 2;
    const from = { x: MIDDLE.x - Math.sign(x - MIDDLE.x) * back, y: MIDDLE.y - Math.sign(y - MIDDLE.y) * back };
    for (const offset of kind === 'd' ? [-DOUBLE, DOUBLE] : [0]) {
      const [ox, oy] = x === MIDDLE.x ? [offset, 0] : [0, offset];
      shapes.push(line(`M${from.x + ox} ${from.y + oy}L${x + ox} ${y + oy}`, stroke));
    }
  });
  return shapes;
}

function dashes(count: number, horizontal: boolean, stroke: number): Shape[] {
  const length = horizontal ? CELL.width : CELL.height;
  const step = length / count;
  const pieces = Array.from({ length: count }, (_, i) => {
    const at = i * step + step * 0.2;
    return horizontal ? `M${at} ${MIDDLE.y}h${step * 0.6}` : `M${MIDDLE.x} ${at}v${step * 0.6}`;
  });
  return [line(pieces.join(''), stroke)];
}

function arc([toX, toY]: readonly [1 | -1, 1 | -1]): Shape[] {
  const edge = { x: toX === 1 ? CELL.width : 0, y: toY === 1 ? CELL.height : 0 };
  const bend = MIDDLE.y + (toY * CELL.width) / 2;
  return [line(`M${edge.x} ${MIDDLE.y}Q${MIDDLE.x} ${MIDDLE.y} ${MIDDLE.x} ${bend}L${MIDDLE.x} ${edge.y}`, LIGHT)];
}

function block(code: number): Shape[] {
  const { width, height } = CELL;
  const eighth = { x: width / 8, y: height / 8 };
  if (code === 0x2580) return [filled(rect(0, 0, width, height / 2))];
  if (code <= 0x2588) {
    const size = (code - 0x2580) * eighth.y;
    return [filled(rect(0, height - size, width, size))];
  }
  if (code <= 0x258f) return [filled(rect(0, 0, (0x2590 - code) * eighth.x, height))];
  if (code === 0x2590) return [filled(rect(width / 2, 0, width / 2, height))];
  if (code <= 0x2593) return [filled(rect(0, 0, width, height), (code - 0x2590) / 4)];
  if (code === 0x2594) return [filled(rect(0, 0, width, eighth.y))];
  if (code === 0x2595) return [filled(rect(width - eighth.x, 0, eighth.x, height))];
  const quadrants = QUADRANTS[code - 0x2596] ?? 0;
  const parts = [1, 2, 4, 8].filter((bit) => (quadrants & bit) !== 0);
  return [filled(parts.map((bit) => rect(bit === 1 || bit === 4 ? 0 : width / 2, bit <= 2 ? 0 : height / 2, width / 2, height / 2)).join(''))];
}

/** Dots 1 to 8 of a braille cell as [column, row]. */
const DOTS = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [0, 3], [1, 3]] as const;

function braille(bits: number): Shape[] {
  const radius = 1.9;
  const dots = DOTS.filter((_, i) => (bits & (1 << i)) !== 0).map(([column, row]) => {
    const x = CELL.width * (0.25 + column / 2);
    const y = CELL.height * (0.125 + row / 4);
    return `M${x - radius} ${y}a${radius} ${radius} 0 1 0 ${radius * 2} 0a${radius} ${radius} 0 1 0 ${-radius * 2} 0z`;
  });
  return dots.length === 0 ? [] : [filled(dots.join(''))];
}

function diagonal(char: string): Shape[] {
  const { width, height } = CELL;
  const rising = `M0 ${height}L${width} 0`;
  const falling = `M0 0L${width} ${height}`;
  return [line(char === '╱' ? rising : char === '╲' ? falling : rising + falling, LIGHT)];
}

/** The shapes of a character in a cell at (0, 0); null when the font should draw it. */
export function shapesOf(char: string): Shape[] | null {
  const spec = ARMS[char];
  if (spec !== undefined) return arms(spec);
  const corner = ARCS[char];
  if (corner !== undefined) return arc(corner);
  const dash = DASHES[char];
  if (dash !== undefined) return dashes(...dash);
  if (char === '╱' || char === '╲' || char === '╳') return diagonal(char);
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0x2580 && code <= 0x259f) return block(code);
  if (code >= 0x2800 && code <= 0x28ff) return braille(code - 0x2800);
  return null;
}
