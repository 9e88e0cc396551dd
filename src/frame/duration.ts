/** Durations as users write them: 500ms, 1.5s, 1m30s, 2h. */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const PART = /(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)/y;

/** "90s" for 90000, "1.5s" for 1500, "250ms" for 250. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Number(ms.toFixed(3))}ms`;
  if (ms >= 3_600_000 && ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms >= 60_000 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  return `${Number((ms / 1000).toFixed(3))}s`;
}

export interface DurationLimits {
  readonly min: number;
  readonly max: number;
}

/**
 * Milliseconds of a duration.
 * @throws RangeError whose message says what is wrong with the text, without naming the option
 */
export function parseDuration(text: string, limits: DurationLimits): number {
  const trimmed = text.trim();
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) throw new RangeError(`"${text}" lacks a unit: ${trimmed}s or ${trimmed}ms?`);
  let ms = 0;
  PART.lastIndex = 0;
  let end = 0;
  for (let part = PART.exec(trimmed); part; part = PART.exec(trimmed)) {
    ms += Number(part[1]) * (UNIT_MS[part[2] ?? ''] ?? NaN);
    end = PART.lastIndex;
  }
  if (end === 0 || end !== trimmed.length) throw new RangeError(`"${text}" is not a duration such as 500ms, 5s, 1.5s or 1m30s`);
  if (ms < limits.min) throw new RangeError(`"${text}" is too short: ${formatDuration(limits.min)} at least`);
  if (ms > limits.max) throw new RangeError(`"${text}" is too long: ${formatDuration(limits.max)} at most`);
  return ms;
}
