/** Reading JSON that came from elsewhere: whatever has another shape than it should is as if it were not there. */

export type Json = Readonly<Record<string, unknown>>;

const NOTHING: Json = {};

export const object = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : NOTHING);

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Null for '', which Go writes for what is not set. */
export const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

export const integer = (value: unknown): number => (typeof value === 'number' && Number.isSafeInteger(value) ? value : 0);

/** Labels and annotations: entries that are no strings are left out. */
export const strings = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(object(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
