import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_LOSS } from '../../src/frame/frame.ts';
import { escapeForTerminal } from '../../src/frame/escape.ts';
import { contextOf } from '../../src/frame/names.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { formatValue } from '../../src/frame/units.ts';
import { paneDef, rowsOf, tableColumns } from '../../src/output/any-pane.ts';
import { frameTable, lossLine } from '../../src/output/frame-table.ts';
import { FRAME, anyFrame } from './frames.ts';

const ALL = { panes: PANE_IDS, titles: true };

describe('lossLine', () => {
  it('is silent without a loss and names each cause otherwise', () => {
    expect(lossLine({ ...NO_LOSS, seen: 5, kept: 5 })).toBeNull();
    expect(lossLine({ ...NO_LOSS, seen: 15, kept: 5, lostRing: 8, overBudget: 2 })).toBe('lost: seen 15, kept 5, 8 ring buffer full, 2 over the row budget');
  });
});

describe('frameTable', () => {
  it('has a section per pane, in the order asked for', () => {
    const text = frameTable(FRAME, { ...ALL, panes: ['tcp', 'syscalls'] });
    expect(text.split('\n\n').map((section) => section.split('\n', 1)[0])).toEqual([
      'node worker-1  linux 6.1.0  cgroup v2  5s to 2026-11-21T02:00:05.000Z  kbtop 1.2% CPU 86M', 'TCP CONNECTS  3/s', 'SYSCALLS',
    ]);
  });

  it('is headings and rows alone for one pane without titles', () => {
    const lines = frameTable(FRAME, { panes: ['runqueue'], titles: false }).split('\n');
    expect(lines[0]).toMatch(/^CONTAINER +RUNS\/s +COUNT +P50 +P95 +P99 +MAX +THR% +PREEMPTED BY$/);
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^shop\/web-1\/app +180 +900 .*  .* 12$/);
  });

  it('shows a failed pane with its reason and a loss below its rows', () => {
    const { syscalls, opens } = FRAME.panes;
    const frame = { ...FRAME, panes: { ...FRAME.panes, syscalls: { ...syscalls, rows: [], state: { status: 'error' as const, reason: 'no \u001b[31mBTF', level: null } }, opens: { ...opens, loss: { ...NO_LOSS, seen: 9, kept: 8, lostRing: 1 } } } };
    const text = frameTable(frame, { panes: ['syscalls', 'opens'], titles: true });
    expect(text).toContain('\nSYSCALLS  error: no \\e[31mBTF\n');
    expect(text).toMatch(/\nlost: seen 9, kept 8, 1 ring buffer full\n$/);
  });

  it('lets no control character through, whatever a Frame holds', () => {
    fc.assert(fc.property(anyFrame, fc.option(fc.integer({ min: 60, max: 200 }), { nil: null }), (frame, width) => {
      // eslint-disable-next-line no-control-regex
      expect(frameTable(frame, { ...ALL, width })).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/);
    }));
    expect(frameTable(FRAME, ALL)).toContain('\\e]0;pwn');
  });

  it('holds every known value of a Frame as the screen writes it', () => {
    const text = frameTable(FRAME, ALL);
    const context = contextOf(FRAME);
    for (const id of PANE_IDS) {
      for (const row of rowsOf(FRAME, id)) {
        const shown = tableColumns(paneDef(id)).filter((column) => !column.text && column.value(row, context) !== null);
        for (const column of shown) expect(text).toContain(escapeForTerminal(formatValue(column.value(row, context), column.unit)));
      }
    }
  });
});
