/** All formats of one Frame, held against each other. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame, PaneId } from '../../src/frame/frame.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { formatValue } from '../../src/frame/units.ts';
import { rowsOf } from '../../src/output/any-pane.ts';
import { FORMATS, type Format } from '../../src/output/formats.ts';
import { type WriterOptions, frameWriter } from '../../src/output/writer.ts';
import { csvObjects, parseCsv } from './csv-parser.ts';
import { FRAME, anyFrame } from './frames.ts';
import { parseOpenMetrics } from './openmetrics-parser.ts';

const write = (format: Format, frame: Frame, panes: readonly PaneId[] = PANE_IDS, over: Partial<WriterOptions> = {}): string =>
  frameWriter(format, { panes, frames: 1, headings: true, width: null, rows: null, color: false, ascii: false, ...over })(frame, 0);

const sum = (numbers: Iterable<number>): number => {
  let total = 0;
  for (const n of numbers) total += n;
  return total;
};

describe('every format of one Frame', () => {
  it('tells the same numbers', () => {
    fc.assert(fc.property(anyFrame, (frame) => {
      const json = JSON.parse(write('json', frame)) as Frame;
      expect(JSON.parse(write('ndjson', frame))).toEqual(json);
      const csv = csvObjects(write('csv', frame, ['syscalls']));
      const metrics = parseOpenMetrics(write('prometheus', frame));
      const table = write('table', frame, ['syscalls']).split('\n').slice(1, -1);
      const { rows } = json.panes.syscalls;

      expect(csv.map((row) => Number(row['count']))).toEqual(rows.map(({ count }) => count));
      expect(csv.map((row) => (row['errors'] === null ? null : Number(row['errors'])))).toEqual(rows.map(({ errors }) => (errors === null ? null : sum(Object.values(errors)))));
      expect(csv.map((row) => (row['p99Us'] === null ? null : Number(row['p99Us'])))).toEqual(rows.map(({ latency }) => latency?.p99Us ?? null));
      expect(sum((metrics.get('kbtop_syscalls')?.samples ?? []).map(({ value }) => value))).toBe(sum(rows.map(({ count }) => count)));
      expect(sum((metrics.get('kbtop_syscall_errors')?.samples ?? []).map(({ value }) => value))).toBe(sum(rows.flatMap(({ errors }) => Object.values(errors ?? {}))));
      expect(table).toHaveLength(rows.length);
      rows.forEach(({ count, ratePerSec }, i) => {
        expect(table[i]?.split(/ {2,}/)).toEqual(expect.arrayContaining([formatValue(count, 'count'), formatValue(ratePerSec, 'perSec')]));
      });

      const memory = json.panes.containers.rows.flatMap(({ memoryBytes }) => memoryBytes ?? []);
      expect(sum((metrics.get('kbtop_container_memory_bytes')?.samples ?? []).map(({ value }) => value))).toBe(sum(memory));
      expect(csvObjects(write('csv', frame, ['containers'])).flatMap((row) => (row['memoryBytes'] === null ? [] : Number(row['memoryBytes'])))).toEqual(memory);
    }));
  });

  it('ends in a newline', () => {
    for (const format of FORMATS) expect(write(format, FRAME, ['opens']).endsWith('\n')).toBe(true);
  });
});

describe('several Frames', () => {
  const two = (format: Format, over: Partial<WriterOptions> = {}, panes: readonly PaneId[] = ['runqueue']): string => {
    const writer = frameWriter(format, { panes, frames: 2, headings: true, width: null, rows: null, color: false, ascii: false, ...over });
    return writer(FRAME, 0) + writer({ ...FRAME, seq: 2, time: '2026-11-21T02:00:10.000Z' }, 1);
  };

  it('are one line each as ndjson, and one CSV under one header', () => {
    expect(two('ndjson').trimEnd().split('\n').map((line) => (JSON.parse(line) as Frame).seq)).toEqual([1, 2]);
    expect(csvObjects(two('csv')).map((row) => row['frameTime'])).toEqual(['2026-11-21T02:00:05.000Z', '2026-11-21T02:00:05.000Z', '2026-11-21T02:00:10.000Z', '2026-11-21T02:00:10.000Z']);
  });

  it('have a title each in a table', () => {
    expect(two('table').match(/^node worker-1 .*$/gm)).toHaveLength(2);
    expect(two('table').match(/^RUN QUEUE$/gm)).toHaveLength(2);
  });
});

describe('without headings', () => {
  it('a table and a CSV are rows alone', () => {
    const rows = rowsOf(FRAME, 'runqueue').length;
    expect(write('table', FRAME, ['runqueue'], { headings: false }).split('\n')).toHaveLength(rows + 1);
    expect(parseCsv(write('csv', FRAME, ['runqueue'], { headings: false }))).toHaveLength(rows);
    expect(write('table', FRAME, PANE_IDS, { headings: false })).not.toMatch(/node worker|SYSCALLS|CONTAINER/);
  });
});

describe('a table on a terminal', () => {
  it('shows so many rows and counts the others', () => {
    expect(write('table', FRAME, ['syscalls'], { rows: 1 }).split('\n').slice(2)).toEqual(['2 more: --limit N shows N rows', '']);
    expect(write('table', FRAME, ['syscalls'], { rows: 3 })).not.toContain('more:');
  });

  it('leaves out columns rather than numbers where it is narrow', () => {
    const heading = write('table', FRAME, ['containers'], { width: 60 }).split('\n', 1)[0] ?? '';
    expect(heading.length).toBeLessThanOrEqual(60);
    expect(heading).toContain('CONTAINER');
    expect(heading).toContain('CPU%');
    expect(heading).not.toContain('CGROUP');
  });

  it('keeps to ASCII when told', () => {
    const frame = { ...FRAME, panes: { ...FRAME.panes, opens: { ...FRAME.panes.opens, rows: FRAME.panes.opens.rows.slice(0, 1) } } };
    // eslint-disable-next-line no-control-regex
    expect(write('table', frame, ['opens'], { width: 60, ascii: true })).toMatch(/^[\u0000-\u007f]*$/);
  });
});
