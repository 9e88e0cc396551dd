/** Sizes as users write them: 500K, 100M, 2G, binary. */
import { usageError } from './errors.ts';

const UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

export interface SizeLimits {
  readonly min: number;
  readonly max: number;
}

/** "20 M" in whole units; what no unit divides, in bytes. */
export function formatSize(bytes: number): string {
  if (bytes < 10 * 2 ** 10) return `${bytes} bytes`;
  return bytes < 10 * 2 ** 20 ? `${Math.round(bytes / 2 ** 10)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** An option's value as bytes. @param flag as in the message: "--max-size" */
export function sizeOption(flag: string, limits: SizeLimits): (text: string) => number {
  return (text) => {
    const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([KMGT])(?:i?B)?$/i.exec(text.trim()) ?? [];
    if (number === '') throw usageError(`${flag} "${text}" is not a size such as 500K, 100M or 2G`);
    const bytes = Math.floor(Number(number) * (UNITS[unit.toUpperCase()] as number));
    if (bytes < limits.min) throw usageError(`${flag} "${text}" is too small: ${formatSize(limits.min)} at least`);
    if (bytes > limits.max) throw usageError(`${flag} "${text}" is too large`);
    return bytes;
  };
}
