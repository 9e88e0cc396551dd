import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { contextOf } from '../../src/frame/names.ts';
import type { PaneId } from '../../src/frame/frame.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { parseFilter } from '../../src/ui/filter.ts';
import { paneOf } from '../../src/ui/rows.ts';
import { FakeNode } from './fixtures.ts';

const frame = new FakeNode({ events: 40 }).next();
const context = contextOf(frame);

const rows = (pane: PaneId) => frame.panes[pane].rows;
function matching<P extends PaneId>(pane: P, text: string): (typeof frame.panes)[P]['rows'][number][] {
  const { filter, error } = parseFilter(text, paneOf(pane).columns);
  expect(error).toBeNull();
  return rows(pane).filter((row) => filter?.matches(row, context) ?? true) as never;
}
const errorOf = (pane: PaneId, text: string) => parseFilter(text, paneOf(pane).columns).error;

describe('a filter', () => {
  it('is none when it is blank', () => {
    expect(parseFilter('', paneOf('syscalls').columns)).toEqual({ filter: null, error: null });
    expect(parseFilter('  | ', paneOf('syscalls').columns)).toEqual({ filter: null, error: null });
  });

  it('finds a text in any text cell, in any case', () => {
    expect(new Set(matching('syscalls', 'SEND').map((row) => row.syscall))).toEqual(new Set(['sendto']));
    expect(matching('containers', 'kube-system').every((row) => frame.containers[row.container]?.namespace === 'kube-system')).toBe(true);
    expect(matching('opens', 'resolv').every((row) => row.path?.includes('resolv'))).toBe(true);
    expect(matching('opens', 'resolv').length).toBeGreaterThan(0);
  });

  it('takes several terms as all of them, and | as either', () => {
    expect(new Set(matching('syscalls', 'read|write').map((row) => row.syscall))).toEqual(new Set(['read', 'write']));
    expect(new Set(matching('syscalls', 'read rate>1').map((row) => row.syscall))).toEqual(new Set(['read']));
    expect(matching('syscalls', 'read write')).toEqual([]);
  });

  it('leaves out with !', () => {
    expect(matching('syscalls', '!read').length).toBe(rows('syscalls').length - matching('syscalls', 'read').length);
  });

  it('finds ids as text', () => {
    const { pid } = rows('opens')[0] as { pid: number };
    expect(matching('opens', String(pid)).length).toBeGreaterThan(0);
    expect(matching('opens', `pid=${pid}`).every((row) => row.pid === pid)).toBe(true);
  });

  it('compares numbers with units', () => {
    expect(matching('syscalls', 'rate>1k').every((row) => row.ratePerSec > 1000)).toBe(true);
    expect(matching('syscalls', 'rate>1k').length).toBe(rows('syscalls').filter((row) => (row as { ratePerSec: number }).ratePerSec > 1000).length);
    expect(matching('syscalls', 'ratePerSec<=10').every((row) => row.ratePerSec <= 10)).toBe(true);
    expect(matching('syscalls', 'p99>5ms').every((row) => (row.latency?.p99Us ?? 0) > 5000)).toBe(true);
    expect(matching('syscalls', 'p99>5ms').length).toBe(matching('syscalls', 'p99>5000').length);
    expect(matching('containers', 'mem>=100M').every((row) => (row.memoryBytes ?? 0) >= 100 * 2 ** 20)).toBe(true);
    expect(matching('containers', 'cpu>50%').every((row) => (row.cpuPct ?? 0) > 50)).toBe(true);
    expect(matching('syscalls', 'err>0').every((row) => Object.keys(row.errors ?? {}).length > 0)).toBe(true);
    expect(matching('syscalls', 'err>0').length).toBeGreaterThan(0);
  });

  it('lets what is unknown fail every comparison', () => {
    // The host has no memory figure in this Frame.
    expect(matching('containers', 'mem>0').some((row) => row.container === '1')).toBe(false);
    expect(matching('containers', 'mem<1T').some((row) => row.container === '1')).toBe(false);
  });

  it('compares texts for equality, in any case', () => {
    expect(matching('opens', 'comm=NGINX').every((row) => row.comm === 'nginx')).toBe(true);
    expect(matching('opens', 'comm!=nginx').length).toBe(rows('opens').length - matching('opens', 'comm=nginx').length);
    expect(matching('tcp', 'state=refused').every((row) => row.outcome === 'refused')).toBe(true);
    expect(matching('tcp', 'dir=out').every((row) => row.direction === 'connect')).toBe(true);
    expect(matching('opens', 'path~RESOLV')).toEqual(matching('opens', 'resolv'));
    const { fd } = rows('opens').find((row) => 'fd' in row && row.fd !== null) as { fd: number };
    expect(matching('opens', `ret=${fd}`).map((row) => row.fd)).toContain(fd);
    expect(matching('opens', `ret=${fd}`).every((row) => row.fd === fd)).toBe(true);
    expect(matching('opens', 'ret=ENOENT').every((row) => row.error === 'ENOENT')).toBe(true);
  });

  it('takes quoted text whole', () => {
    expect(matching('syscalls', '"read')).toEqual(matching('syscalls', 'read'));
    expect(matching('containers', '"pod 0b9e4c1e"').map((row) => row.container)).toEqual(['99']);
    expect(matching('containers', '!"pod 0b9e4c1e"').length).toBe(rows('containers').length - 1);
  });

  it.each<[PaneId, string, RegExp]>([
    ['syscalls', 'bogus>1', /no column bogus; there are SYSCALL RATE\/s/],
    ['syscalls', 'p9>1', /P95|P99/],
    ['syscalls', 'rate>', /RATE\/s: compared with what\?/],
    ['syscalls', 'rate>fast', /RATE\/s: fast is no number/],
    ['syscalls', 'p99>5MB', /unknown unit MB; one of ns us µs ms s/],
    ['syscalls', 'syscall>5', /SYSCALL is text: use = != or ~/],
    ['syscalls', 'rate~5', /RATE\/s is a number: use > >= < <= = or !=/],
    ['syscalls', 'p>1', /may be P50 or P95 or P99/],
    ['syscalls', '!', /! what\?/],
  ])('says why in %s %j is none', (pane, text, why) => {
    expect(errorOf(pane, text)).toMatch(why);
  });

  it('never throws, whatever is typed', () => {
    fc.assert(fc.property(fc.constantFrom(...PANE_IDS), fc.oneof(fc.string(), fc.array(fc.constantFrom('rate', '>', '=', '!', '"', ' ', '5', 'ms', '|', 'p99', 'comm', 'x'), { maxLength: 8 }).map((parts) => parts.join(''))), (pane, text) => {
      const { filter, error } = parseFilter(text, paneOf(pane).columns);
      expect(filter === null || error === null).toBe(true);
      for (const row of rows(pane).slice(0, 5)) expect(typeof (filter?.matches(row, context) ?? true)).toBe('boolean');
    }), { numRuns: 1000 });
  });
});
