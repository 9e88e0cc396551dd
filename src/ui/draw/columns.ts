/** Which columns a table shows and how wide, from their definitions and the room there is. */
import type { ColumnWidth } from '../../frame/columns.ts';
import { EXTRA } from '../../frame/columns.ts';

export interface Wanted {
  readonly width: ColumnWidth;
  readonly rank: number;
  /** Cells that its contents and heading need to be shown whole. */
  readonly need: number;
  /** Takes only what the others leave: a trend is never too long. */
  readonly elastic?: boolean;
}

export interface Fitted {
  /** Index into the columns given. */
  readonly index: number;
  readonly width: number;
}

export interface ColumnFit {
  readonly columns: readonly Fitted[];
  /** More columns are there on the left, on the right. */
  readonly before: boolean;
  readonly after: boolean;
  /** Largest offset that changes anything. */
  readonly lastOffset: number;
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Columns by rank, as many as fit at their least width, extras only beside others that have their ideal width or what they need; at least one. */
function byRank(columns: readonly Wanted[], room: number, gap: number): number[] {
  const order = columns.map((_, i) => i).sort((a, b) => (columns[a]?.rank ?? 0) - (columns[b]?.rank ?? 0) || a - b);
  const chosen: number[] = [];
  let least = 0, ideal = 0;
  for (const i of order) {
    const { width, rank, need } = columns[i] as Wanted;
    const space = chosen.length > 0 ? gap : 0;
    if (chosen.length > 0 && (rank >= EXTRA ? ideal : least) + space + width.min > room) {
      if (rank > 0) break;
      continue;
    }
    chosen.push(i);
    least += space + width.min;
    ideal += space + Math.max(width.min, Math.min(width.ideal ?? 0, need));
  }
  return chosen.sort((a, b) => a - b);
}

/** From `sequence`, the first and then those from `offset` on, as many as fit. */
function fromOffset(columns: readonly Wanted[], sequence: readonly number[], offset: number, room: number, gap: number): number[] {
  const first = sequence[0] as number;
  const chosen = [first];
  let used = columns[first]?.width.min ?? 0;
  for (const i of sequence.slice(1 + offset)) {
    used += gap + (columns[i]?.width.min ?? 0);
    if (used > room) break;
    chosen.push(i);
  }
  return chosen;
}

/** Share `spare` cells out by weight, to each at most what it can take. Returns what is left. */
function share(widths: number[], spare: number, takers: readonly { readonly at: number; readonly upTo: number; readonly weight: number }[]): number {
  let left = spare;
  let open = takers.filter((taker) => (widths[taker.at] ?? 0) < taker.upTo && taker.weight > 0);
  while (left > 0 && open.length > 0) {
    const weight = sumOf(open.map((taker) => taker.weight));
    const before = left;
    for (const taker of open) {
      const width = widths[taker.at] ?? 0;
      const give = Math.min(taker.upTo - width, left, Math.max(1, Math.floor((before * taker.weight) / weight)));
      widths[taker.at] = width + give;
      left -= give;
      if (left === 0) break;
    }
    open = open.filter((taker) => (widths[taker.at] ?? 0) < taker.upTo);
  }
  return left;
}

/**
 * Fit columns into `room` cells with `gap` cells between them.
 * @param offset how many columns to scroll to the right; the first stays
 */
export function fitColumns(columns: readonly Wanted[], room: number, gap: number, offset = 0): ColumnFit {
  if (columns.length === 0 || room <= 0) return { columns: [], before: false, after: false, lastOffset: 0 };
  const ranked = byRank(columns, room, gap);
  const hidden = columns.map((_, i) => i).filter((i) => !ranked.includes(i));
  const sequence = [...ranked, ...hidden];
  // Without an offset the ranks decide. With one, the columns come at their least width in their order, the first step
  // bringing extras that only lacked their neighbours' ideal width, each further one leaving a column behind.
  const squeezed = fromOffset(columns, sequence, 0, room, gap).length > ranked.length ? 1 : 0;
  const scrolled = (by: number): number[] => fromOffset(columns, sequence, by - squeezed, room, gap);
  let lastOffset = hidden.length === 0 ? 0 : 1;
  while (lastOffset > 0 && lastOffset - squeezed < sequence.length - 2 && scrolled(lastOffset).length < sequence.length - lastOffset + squeezed) lastOffset += 1;
  const at = Math.max(0, Math.min(offset, lastOffset));
  const chosen = at === 0 ? ranked : scrolled(at);

  const of = chosen.map((i) => columns[i] as Wanted);
  const widths = of.map((column) => column.width.min);
  if (chosen.length === 1) widths[0] = Math.min(room, widths[0] ?? 0);
  let spare = room - sumOf(widths) - gap * (chosen.length - 1);
  const limit = (column: Wanted): number => Math.max(column.width.min, Math.min(column.width.max, column.need));
  // First the ideals and what fixed columns need, the most important first; then names by their shares. Nothing grows
  // beyond its need: numbers far away from the name that they belong to are hard to read.
  const inOrder = of.map((column, i) => ({ column, i })).sort((a, b) => a.column.rank - b.column.rank);
  for (const { column, i } of inOrder) {
    const upTo = column.width.grow === 0 ? limit(column) : Math.min(limit(column), column.width.ideal ?? 0);
    const give = Math.min(spare, upTo - (widths[i] ?? 0));
    if (give > 0) {
      widths[i] = (widths[i] ?? 0) + give;
      spare -= give;
    }
  }
  const takers = (elastic: boolean) => of.map((column, i) => ({ at: i, weight: column.width.grow, upTo: limit(column), elastic: column.elastic ?? false })).filter((taker) => taker.elastic === elastic);
  share(widths, share(widths, spare, takers(false)), takers(true));
  return {
    columns: chosen.map((index, i) => ({ index, width: widths[i] ?? 0 })),
    before: at > 0,
    after: at === 0 ? hidden.length > 0 : at < lastOffset,
    lastOffset,
  };
}
