/** Delays as users write them: 250us, 5ms, 1.5s. */

const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1000, µs: 1000, ms: 1_000_000, s: 1_000_000_000 };

/**
 * Microseconds of a delay, rounded to whole ones.
 * @param bare unit of a number without one: strace's is us; null: a unit must be given
 * @throws RangeError whose message says what is wrong with the text
 */
export function parseDelayUs(text: string, bare: 'us' | null): number {
  const [, number = '', unit = bare ?? ''] = /^(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|ms|s)?$/.exec(text.trim()) ?? [];
  if (number !== '' && unit === '') throw new RangeError(`"${text}" lacks a unit: ${number}ms or ${number}us?`);
  const nanoseconds = Number(number) * (UNIT_NS[unit] ?? Number.NaN);
  if (number === '' || !Number.isFinite(nanoseconds)) throw new RangeError(`"${text}" is not a delay such as 250us, 5ms or 1.5s`);
  return Math.round(nanoseconds / 1000);
}

/** The shortest text that parseDelayUs() reads as this many microseconds: "5ms" for 5000, "1500us" for 1500. */
export function formatDelayUs(us: number): string {
  if (us >= 1_000_000 && us % 1_000_000 === 0) return `${us / 1_000_000}s`;
  return us >= 1000 && us % 1000 === 0 ? `${us / 1000}ms` : `${us}us`;
}
