/** Terminal colours as RGB. */

/** [red, green, blue], 0 to 255. */
export type Rgb = readonly [number, number, number];

export const BACKGROUND: Rgb = [22, 24, 29];
export const FOREGROUND: Rgb = [212, 215, 221];

/** The 16 named colours: normal, then bright. */
const NAMED: readonly Rgb[] = [
  [40, 44, 52], [224, 87, 95], [126, 191, 92], [222, 173, 84], [92, 156, 232], [193, 120, 221], [76, 184, 196], [190, 195, 204],
  [108, 115, 128], [255, 122, 128], [160, 222, 128], [245, 205, 120], [130, 186, 255], [222, 156, 245], [118, 219, 230], [245, 247, 250],
];

const CUBE = [0, 95, 135, 175, 215, 255];

/** One of the 256 indexed colours. */
export function indexed(index: number): Rgb {
  const named = NAMED[index];
  if (named !== undefined) return named;
  if (index >= 232) {
    const level = 8 + (index - 232) * 10;
    return [level, level, level];
  }
  const cube = index - 16;
  const step = (divisor: number): number => CUBE[Math.floor(cube / divisor) % 6] ?? 0;
  return [step(36), step(6), step(1)];
}

/** A 24-bit number as RGB. */
export const packed = (value: number): Rgb => [(value >> 16) & 255, (value >> 8) & 255, value & 255];

/** `share` of `a` over the rest of `b`. */
export function blend(a: Rgb, b: Rgb, share: number): Rgb {
  const mix = (i: 0 | 1 | 2): number => Math.round(a[i] * share + b[i] * (1 - share));
  return [mix(0), mix(1), mix(2)];
}

export const hex = (colour: Rgb): string => `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
