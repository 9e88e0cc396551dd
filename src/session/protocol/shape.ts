/** What travels in messages, checked field by field; null is what cannot be understood. */
import type { SharedView, Viewer } from '../../frame/company.ts';
import { type Fields, isCount, isFields, isText } from '../../chaos/service/shape.ts';
import { MAX_VIEW_DEPTH } from './limits.ts';

/** A terminal by its name: what it may look like keeps it from looking like anything else in a line about a viewer. */
const TERMINAL = /^[A-Za-z0-9][A-Za-z0-9/._:@-]{0,31}$/;

/** A terminal's name as it may be shown; null when it is none. */
export const terminalName = (value: unknown): string | null => (isText(value) && TERMINAL.test(value) ? value : null);

export const isWhole = (value: unknown): value is number => isCount(value) && Number.isSafeInteger(value);

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((one) => isShallow(one, depth - 1));
}

/** Its size is bounded by its message. */
export const readView = (value: unknown): SharedView | null => (isFields(value) && isShallow(value, MAX_VIEW_DEPTH) ? value : null);

const FLAGS = ['drives', 'follows', 'control'] as const;

function readViewer(value: unknown): Viewer | null {
  if (!isFields(value)) return null;
  const { id, name, uid, skipped } = value;
  if (!isWhole(id) || !isText(name) || !(uid === null || isWhole(uid)) || !isWhole(skipped) || !FLAGS.every((key) => typeof value[key] === 'boolean')) return null;
  return { id, name, uid, drives: value['drives'] === true, follows: value['follows'] === true, control: value['control'] === true, skipped };
}

export function readViewers(value: unknown): readonly Viewer[] | null {
  if (!Array.isArray(value)) return null;
  const viewers = value.map(readViewer);
  return viewers.every((one) => one !== null) ? viewers : null;
}

/** JSON of a message; undefined when it is none. */
export function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as unknown;
  } catch {
    return undefined;
  }
}

export type { Fields };
