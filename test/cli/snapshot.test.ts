import { describe, expect, it } from 'vitest';
import { parsePanes, parseSortBy } from '../../src/cli/snapshot.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';

describe('parsePanes', () => {
  it('takes names apart by commas, keeps their order, and drops what is said twice', () => {
    expect(parsePanes(undefined)).toEqual(PANE_IDS);
    expect(parsePanes(['tcp', 'opens, tcp'])).toEqual(['tcp', 'opens']);
  });

  it.each(['', 'TCP', 'tcp,', 'all', '__proto__'])('refuses %j', (name) => {
    expect(() => parsePanes([name])).toThrow(/^unknown pane /);
  });
});

describe('parseSortBy', () => {
  it('sorts the panes that have the column', () => {
    expect(Object.keys(parseSortBy('p99Us', PANE_IDS))).toEqual(['syscalls', 'runqueue']);
    expect(parseSortBy('comm:desc', ['opens']).opens).toMatchObject({ column: { id: 'comm' }, descending: true });
  });

  it('names the columns when none of the panes has it', () => {
    expect(() => parseSortBy('p99', ['tcp'])).toThrow(/^--sort-by: no column "p99" in tcp; .*columns are time, pid, .*remotePort/);
    expect(() => parseSortBy('latency', ['tcp'])).toThrow(/did you mean latencyUs\? \(columns are /);
    expect(() => parseSortBy('pid:down', ['tcp'])).toThrow('--sort-by "pid:down" is not COLUMN, COLUMN:asc or COLUMN:desc');
  });
});
