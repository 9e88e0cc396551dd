/** Integers of a slot: predicted from their own past, from the row before, or from another number of the row. */
import type { Coder } from './coder.ts';
import { contextOf, lengthOf } from './integers.ts';
import { type Cell, FROM, NO_ALIAS, type Row, type Slot, UNSET_ALIAS } from './slot.ts';

/** Differences of larger ones would not be exact. */
export const MAX_INTEGER = 2 ** 52;
/** Small numbers are equal by chance. */
const TELLING = 8;
/** Tries before an alias that mostly misses is given up. */
const PATIENCE = 6;
const ALIAS_FLAG = 0;

export const isInteger = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < MAX_INTEGER && !Object.is(value, -0);

const aliased = (row: Row, alias: number): number => ((alias & 1) === 0 ? row.number(alias >> 1) : row.before?.number(alias >> 1) ?? Number.NaN);

function findAlias({ numbers, before }: Row, value: number): number {
  for (let i = 0; i < numbers.length; i++) if (numbers[i] === value) return 2 * i;
  const others = before?.numbers ?? [];
  for (let i = 0; i < others.length; i++) if (others[i] === value) return 2 * i + 1;
  return NO_ALIAS;
}

/** @param row its numbers so far; the integer joins them */
export function codeInteger(coder: Coder, slot: Slot, cell: Cell, value: number, row: Row | null): number {
  const result = predicted(coder, slot, cell, value, row);
  cell.number = slot.last = result;
  cell.hasNumber = slot.hasLast = true;
  if (row) row.numbers[slot.index] = result;
  return result;
}

function predicted(coder: Coder, slot: Slot, cell: Cell, value: number, row: Row | null): number {
  if (!row) return fromPast(coder, slot, cell, value);
  if (cell.alias === UNSET_ALIAS) cell.alias = slot.alias;
  const trusted = cell.aliasTries < PATIENCE || cell.aliasHits * 2 > cell.aliasTries;
  const other = cell.alias >= 0 && trusted ? aliased(row, cell.alias) : Number.NaN;
  if (!Number.isNaN(other)) {
    const hit = coder.bit(slot.flags, ALIAS_FLAG + (cell.aliasTries > 0 && cell.aliasHits === cell.aliasTries ? 1 : 0), value === other ? 1 : 0);
    if (cell.aliasTries < 250) {
      cell.aliasTries++;
      cell.aliasHits += hit;
    }
    if (hit === 1) return other;
  }
  const result = fromPast(coder, slot, cell, value);
  if (Math.abs(result) > TELLING) {
    const alias = findAlias(row, result);
    if (alias !== NO_ALIAS && alias !== cell.alias) {
      cell.alias = slot.alias = alias;
      cell.aliasTries = cell.aliasHits = 0;
    }
  }
  return result;
}

function fromPast(coder: Coder, slot: Slot, cell: Cell, value: number): number {
  const { costs } = slot;
  const own = cell.hasNumber ? cell.number : 0, last = slot.hasLast ? slot.last : 0;
  let from: number = FROM.nothing, least = costs[FROM.nothing] as number;
  if (slot.hasLast && (costs[FROM.before] as number) < least) least = costs[from = FROM.before] as number;
  if (cell.hasNumber && (costs[FROM.itself] as number) <= least) from = FROM.itself;
  const model = slot.integers(from);
  let result: number;
  if (from === FROM.itself) {
    const difference = model.signed(coder, value - own, cell.context);
    cell.context = contextOf(difference);
    result = own + difference;
  } else if (from === FROM.before) {
    const difference = model.signed(coder, value - last, slot.lastContext);
    slot.lastContext = contextOf(difference);
    result = last + difference;
  } else {
    result = model.signed(coder, value, contextOf(own || last));
  }
  if (cell.hasNumber) learn(costs, FROM.itself, lengthOf(result - own) + 1);
  if (slot.hasLast) learn(costs, FROM.before, lengthOf(result - last) + 1);
  if (cell.hasNumber || slot.hasLast) learn(costs, FROM.nothing, result === 0 ? 0.5 : lengthOf(result));
  return result;
}

function learn(costs: number[], from: number, cost: number): void {
  costs[from] = (costs[from] as number) * 0.95 + cost * 0.05;
}
