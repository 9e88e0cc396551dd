/** Limits of what may be asked for on the command line and in the configuration. */
import type { DurationLimits } from '../frame/duration.ts';

/** Shorter ticks cost more than they tell; a longer one would hold an hour of streamed rows in memory. */
export const INTERVAL_LIMITS: DurationLimits = { min: 100, max: 3_600_000 };
export const DURATION_LIMITS: DurationLimits = { min: 100, max: 3_600_000 };
export const DEFAULT_INTERVAL_MS = 1000;
export const DEFAULT_DURATION_MS = 5000;
export const MAX_COUNT = 1_000_000;
/** A recording may go on for a month. */
export const RECORD_LIMITS: DurationLimits = { min: 100, max: 31 * 24 * 3_600_000 };
export const MAX_AGE_LIMITS: DurationLimits = { min: 10_000, max: 31 * 24 * 3_600_000 };
export const MAX_SIZE_LIMITS = { min: 2 ** 20, max: 2 ** 40 } as const;
