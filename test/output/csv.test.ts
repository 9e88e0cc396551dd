import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contextOf } from '../../src/frame/names.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { exportColumns, paneDef, rowsOf } from '../../src/output/any-pane.ts';
import { IDENTITY_COLUMNS, csvHeader, csvRows } from '../../src/output/csv.ts';
import { csvObjects, parseCsv } from './csv-parser.ts';
import { FRAME, HOSTILE, anyFrame } from './frames.ts';

const table = (frame: typeof FRAME, id: (typeof PANE_IDS)[number]): Record<string, string | null>[] => csvObjects(csvHeader([id]) + csvRows(frame, [id]));

describe('CSV', () => {
  it.each(PANE_IDS)('%s: the header holds every column once, identity first', (id) => {
    const [header] = parseCsv(csvHeader([id]));
    const wanted = new Set([...IDENTITY_COLUMNS, ...exportColumns(paneDef(id))].map((column) => column.id));
    expect(header?.slice(0, 3)).toEqual(['frameTime', 'intervalMs', 'node']);
    expect(header).toEqual([...wanted]);
  });

  it('keeps hostile text raw, whole, and in its field', () => {
    const opens = table(FRAME, 'opens');
    expect(opens.map((row) => row['path'])).toEqual(['/etc/hosts', HOSTILE, null]);
    expect(opens.map((row) => row['comm'])).toEqual(['nginx', HOSTILE, '']);
    expect(opens[0]).toMatchObject({ container: 'shop/web-1/app', namespace: 'shop', pod: 'web-1', containerName: 'app', flags: 'O_RDONLY|O_CLOEXEC', fd: '5', error: null, pid: '10', tid: '11' });
  });

  it('holds all panes under one header, each row with its own pane\'s values and nothing else', () => {
    const together = csvObjects(csvHeader(PANE_IDS) + csvRows(FRAME, PANE_IDS));
    const apart = PANE_IDS.flatMap((id) => table(FRAME, id));
    expect(together).toHaveLength(apart.length);
    together.forEach((row, i) => {
      expect(row).toMatchObject(apart[i] ?? {});
      for (const [column, value] of Object.entries(row)) if (!(column in (apart[i] ?? {}))) expect(value).toBeNull();
    });
    expect(new Set(together.map((row) => row['pane']))).toEqual(new Set(PANE_IDS));
  });

  it('tells calls of two ABIs apart and counts their errors', () => {
    const rows = table(FRAME, 'syscalls');
    expect(rows.map(({ abi, nr, errors, count }) => ({ abi, nr, errors, count }))).toEqual([
      { abi: 'i386', nr: '5', errors: null, count: '4' },
      { abi: 'x86_64', nr: '257', errors: '4', count: '123' },
      { abi: 'x86_64', nr: '0', errors: '0', count: '12345' },
    ]);
  });

  it('holds for any Frame the values of the columns, one record per row', () => {
    fc.assert(fc.property(anyFrame, fc.constantFrom(...PANE_IDS), (frame, id) => {
      const parsed = table(frame, id);
      const context = contextOf(frame);
      const rows = rowsOf(frame, id);
      expect(parsed).toHaveLength(rows.length);
      const identity = new Set(IDENTITY_COLUMNS.map((column) => column.id));
      rows.forEach((row, i) => {
        expect(parsed[i]?.['containerKey']).toBe(row.container);
        for (const column of exportColumns(paneDef(id))) {
          if (identity.has(column.id)) continue;
          const value = column.value(row, context);
          expect(parsed[i]?.[column.id]).toBe(value === null ? null : String(value));
        }
      });
    }));
  });
});
