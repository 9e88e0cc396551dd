import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame, PaneId, PaneState } from '../../src/frame/frame.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { exportColumns, paneDef } from '../../src/output/any-pane.ts';
import { offenderLines } from '../../src/output/offenders.ts';
import { ThresholdError, judge, parseThreshold } from '../../src/output/threshold.ts';
import { FRAME, frameOf, info } from './frames.ts';

/** The one judgement on one condition. */
function judged(text: string, frame: Frame = FRAME) {
  const [one] = judge(frame, [parseThreshold(text)]);
  if (!one) throw new Error('nothing was judged');
  return one;
}
const holdsOn = (text: string, frame?: Frame): number => judged(text, frame).rows.length;

function withState(id: PaneId, state: PaneState): Frame {
  return { ...FRAME, panes: { ...FRAME.panes, [id]: { ...FRAME.panes[id], state } } };
}

describe('a condition', () => {
  it.each([
    ['syscalls.count>100', 2], ['syscalls.count>=12345', 1], ['syscalls.count>12k', 1], ['syscalls.errors>0', 1], ['SYSCALLS.Errors=4', 1], ['syscalls.errors>4', 0],
    ['syscalls.RATE/s>1000', 1], ['syscalls. rate/s > 1k', 1],
    ['runqueue.p99Us>10us', 1], ['runqueue.p99>1h', null], ['runqueue.THR%>=7%', 1], ['runqueue.throttledPct<100', 1],
    ['containers.cpuPct>=90', 1], ['containers.cpu%<90', 1], ['containers.memory>54MiB', 1], ['containers.memory>1GiB', 0], ['containers.mem>54M', 1], ['containers.tasks!=4', 1],
    ['tcp.outcome=refused', 1], ['tcp.STATE=REFUSED', 1], ['tcp.outcome!=established', 1], ['tcp.remote~:80', 1], ['tcp.retransmits>0', 1],
    ['opens.path~/etc/', 1], ['opens.error=ENOENT', 1], ['opens.result!=5', 2],
    ['syscalls.syscall=openat,errors>3', 1], ['syscalls.syscall=openat,errors>4', 0], ['syscalls.syscall=openat,syscalls.count>1', 1], ['syscalls.syscall="openat" , count > 1', 1],
    ['opens.comm~"a,b"', 1], ['opens.comm~"a,c"', 0],
  ])('%s holds on %s rows', (text, rows) => {
    if (rows === null) expect(() => parseThreshold(text)).toThrow('unknown unit h');
    else expect(holdsOn(text)).toBe(rows);
  });

  it.each<[string, RegExp]>([
    ['runqueu.p99Us>1', /^"runqueu\.p99Us>1": unknown pane "runqueu"; did you mean runqueue\? \(panes are syscalls, /],
    ['runqueue.p9Us>1', /^"runqueue\.p9Us>1": runqueue has no column "p9Us"; did you mean p9\dUs\? \(columns are /],
    ['p99Us>1', /does not say of which pane: write PANE\.COLUMN, such as syscalls\.p99Us or runqueue\.p99Us$/],
    ['nothing>1', /such as runqueue\.p99Us$/],
    ['runqueue.p99Us', /"runqueue\.p99Us" is no comparison/],
    ['', /is no condition/], [',', /is no condition/],
    ['runqueue.p99Us>', /P99: compared with what\?$/], ['runqueue.p99Us>fast', /P99: fast is no number$/], ['runqueue.p99Us~5', /P99 is a number/],
    ['tcp.outcome>refused', /STATE is text: use = != or ~$/], ['tcp.outcome~', /STATE: ~ what\?$/],
    ['syscalls.count>1,tcp.outcome=refused', /compares syscalls and tcp, but all of it must hold on one row: give --fail-if twice$/],
    ['runqueue.p>1', /p may be /],
    ['__proto__.count>1', /is no comparison|unknown pane/],
  ])('%j cannot be, and it says why', (text, why) => {
    expect(() => parseThreshold(text)).toThrow(ThresholdError);
    expect(() => parseThreshold(text)).toThrow(why);
  });

  it('takes every column of every pane by its CSV heading', () => {
    for (const pane of PANE_IDS) {
      for (const column of exportColumns(paneDef(pane))) {
        const operator = ['text', 'list', 'time'].includes(column.unit) ? '!=x' : '>=0';
        expect(parseThreshold(`${pane}.${column.id}${operator}`).columns).toEqual([column]);
      }
    }
  });

  it('refuses with a line or judges, whatever is typed', () => {
    const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom('runqueue', 'tcp', '.', 'p99Us', 'comm', '>', '=', '~', ',', '"', ' ', '5', 'ms', '\n'), { maxLength: 10 }).map((parts) => parts.join('')));
    fc.assert(fc.property(anything, (text) => {
      let threshold;
      try {
        threshold = parseThreshold(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ThresholdError);
        return;
      }
      expect(judge(FRAME, [threshold])).toHaveLength(1);
    }), { numRuns: 1000 });
  });
});

describe('judge', () => {
  it('does not take a pane that failed for a good one', () => {
    const frame = withState('tcp', { status: 'error', reason: 'no such hook', level: null });
    expect(judged('tcp.outcome=refused', frame)).toMatchObject({ rows: [], unjudged: 'tcp could not be measured: no such hook' });
    expect(judged('opens.error=ENOENT', frame)).toMatchObject({ unjudged: null });
  });

  it('does not take what the level leaves unknown for small', () => {
    const { panes } = FRAME;
    const rows = panes.syscalls.rows.map((row) => ({ ...row, latency: null }));
    const frame = frameOf({ ...panes, syscalls: { ...panes.syscalls, rows, state: { status: 'ok', reason: 'too busy', level: 'count' } } }, { containers: FRAME.containers });
    expect(judged('syscalls.p99Us>1s', frame).unjudged).toBe('syscalls.p99Us is not measured at level count (too busy)');
    expect(judged('syscalls.count>10,p99Us>1s', frame).unjudged).toContain('not measured');
    // Rows that are not meant need not be measured.
    expect(judged('syscalls.syscall=close,p99Us>1s', frame).unjudged).toBeNull();
    expect(judged('syscalls.count>10', frame)).toMatchObject({ unjudged: null, rows: { length: 2 } });
  });

  it('says how many events of a stream have no row', () => {
    const { tcp } = FRAME.panes;
    const frame = { ...FRAME, panes: { ...FRAME.panes, tcp: { ...tcp, loss: { ...tcp.loss, lostRing: 2, overBudget: 5, lostFault: 9 } } } };
    expect(judged('tcp.outcome=timeout', frame)).toMatchObject({ missing: 7, rows: [], unjudged: null });
  });

  it('works on the Frame alone, so that what was recorded can be judged', () => {
    const read = JSON.parse(JSON.stringify(FRAME)) as Frame;
    expect(judged('syscalls.errors>0', read).rows).toEqual([read.panes.syscalls.rows[1]]);
  });
});

describe('offenderLines', () => {
  const rows = Array.from({ length: 30 }, (_, i) => ({ container: 'a', cpuPct: 50 + i, memoryBytes: null, syscallsPerSec: null, errorsPerSec: null, runqueueP99Us: null, opensPerSec: null, connectsPerSec: null, tasks: 1 }));
  const frame = frameOf({ containers: { ...FRAME.panes.containers, rows } }, { containers: { a: info() } });

  it('shows so many rows and counts the others', () => {
    const lines = offenderLines(frame, judged('containers.cpuPct>55', frame), 20, { width: null });
    expect(lines).toHaveLength(1 + 20 + 1);
    expect(lines[0]).toContain('CPU%');
    expect(lines.at(-1)).toBe('and 4 more');
    expect(offenderLines(frame, judged('containers.cpuPct>78', frame), 20, { width: null })).toHaveLength(2);
  });

  it('shows what is compared, also where only exports have it and where there is little room', () => {
    const [heading = '', row = ''] = offenderLines(FRAME, judged('syscalls.errors>0'), 20, { width: 60, ascii: true });
    expect(heading).toMatch(/ERRORS$/);
    expect(row).toMatch(/ 4$/);
    expect(heading.length).toBeLessThanOrEqual(60);
  });

  it('lets nothing through to the terminal that a container wrote', () => {
    expect(offenderLines(FRAME, judged('opens.error=ENOENT'), 20, { width: null }).join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });
});
