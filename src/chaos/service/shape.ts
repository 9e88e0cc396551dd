/** Checks that something that came over a pipe has the shape it should have, before anybody uses it. */

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
export const isText = (value: unknown): value is string => typeof value === 'string';
export const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
export const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
export const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);

type Type = 'string' | 'number' | 'boolean' | 'strings' | Shape;
/** Keys that may be there, and what they hold then. */
export interface Shape {
  readonly [key: string]: Type;
}

const fits = (value: unknown, type: Type): boolean => (type === 'strings' ? isTexts(value) : typeof type === 'string' ? typeof value === type : hasShape(value, type));

/** No keys but those of the shape, each of its type; all of them may be missing. */
export function hasShape(value: unknown, shape: Shape): value is Fields {
  return isFields(value) && Object.entries(value).every(([key, one]) => {
    const type = Object.hasOwn(shape, key) ? shape[key] : undefined;
    return type !== undefined && fits(one, type);
  });
}
