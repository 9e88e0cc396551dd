import { describe, expect, it } from 'vitest';
import { contextOf } from '../../src/frame/names.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { exportColumns, paneDef, rowsOf } from '../../src/output/any-pane.ts';
import { defaultSort, findColumn, parseSort, sortRows } from '../../src/output/sort.ts';
import { FRAME } from './frames.ts';

const context = contextOf(FRAME);
const values = (pane: 'syscalls' | 'opens' | 'containers', text: string): unknown[] => {
  const order = parseSort(paneDef(pane), text);
  if (!order) throw new Error(`no column ${text}`);
  return sortRows(rowsOf(FRAME, pane), order, context).map((row) => order.column.value(row, context));
};

describe('columns of every pane', () => {
  it.each(PANE_IDS)('%s: ids are unique, described, and the default order exists', (id) => {
    const columns = exportColumns(paneDef(id));
    expect(new Set(columns.map((column) => column.id)).size).toBe(columns.length);
    expect(columns.filter((column) => column.help === '')).toEqual([]);
    expect(defaultSort(paneDef(id)).column.id).toBe(paneDef(id).defaultSort.column);
  });
});

describe('parseSort', () => {
  it('finds a column by id or heading in any case', () => {
    expect(findColumn(paneDef('syscalls'), 'P99US')?.id).toBe('p99Us');
    expect(findColumn(paneDef('syscalls'), 'rate/s')?.id).toBe('ratePerSec');
    expect(findColumn(paneDef('syscalls'), 'nr')?.id).toBe('nr');
    expect(findColumn(paneDef('syscalls'), 'trend')).toBeUndefined();
  });

  it('takes numbers largest first and texts from A, unless told', () => {
    expect(parseSort(paneDef('syscalls'), 'count')?.descending).toBe(true);
    expect(parseSort(paneDef('opens'), 'time')?.descending).toBe(true);
    expect(parseSort(paneDef('opens'), 'comm')?.descending).toBe(false);
    expect(parseSort(paneDef('opens'), 'comm:desc')?.descending).toBe(true);
    expect(parseSort(paneDef('syscalls'), 'count:asc')?.descending).toBe(false);
  });

  it('knows neither other columns nor other directions', () => {
    expect(parseSort(paneDef('tcp'), 'cpuPct')).toBeUndefined();
    expect(() => parseSort(paneDef('tcp'), 'pid:up')).toThrow(RangeError);
    expect(() => parseSort(paneDef('tcp'), 'pid:asc:desc')).toThrow(RangeError);
  });
});

describe('sortRows', () => {
  it('sorts numbers both ways, unknown always last', () => {
    expect(values('containers', 'memoryBytes')).toEqual([57_671_680, null]);
    expect(values('containers', 'memoryBytes:asc')).toEqual([57_671_680, null]);
    expect(values('syscalls', 'count')).toEqual([12_345, 123, 4]);
    expect(values('syscalls', 'count:asc')).toEqual([4, 123, 12_345]);
    expect(values('opens', 'latencyUs')).toEqual([9.1, 1, null]);
  });

  it('keeps descriptors and errors of one column apart', () => {
    expect(values('opens', 'result')).toEqual([5, 'EFAULT', 'ENOENT']);
  });
});
