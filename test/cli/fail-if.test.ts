import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Frame } from '../../src/frame/frame.ts';
import { FailIf, parseFailIf } from '../../src/cli/fail-if.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { FRAME } from '../output/frames.ts';

let said = '';
vi.mock('../../src/cli/output.ts', () => ({
  printDetail: async (text: string) => { said += `${text}\n`; },
  printError: async (text: string) => { said += `kbtop: ${text}\n`; },
}));
beforeEach(() => { said = ''; });
afterEach(() => { vi.clearAllMocks(); });

const settings = { ascii: false, color: false };
const failIf = (texts: readonly string[], frames = 1): FailIf => new FailIf(parseFailIf(texts, PANE_IDS), frames, settings);
const down: Frame = { ...FRAME, panes: { ...FRAME.panes, tcp: { ...FRAME.panes.tcp, state: { status: 'error', reason: 'no such hook', level: null } } } };

describe('parseFailIf', () => {
  it('wants the pane among those that are measured', () => {
    expect(parseFailIf(undefined, ['tcp'])).toEqual([]);
    expect(() => parseFailIf(['runqueue.p99Us>1'], ['tcp'])).toThrow(expect.objectContaining({ exitCode: 2, message: '--fail-if "runqueue.p99Us>1" is about runqueue, which --pane leaves out; add --pane runqueue' }) as Error);
    expect(() => parseFailIf(['runqueue.bogus>1'], PANE_IDS)).toThrow(expect.objectContaining({ exitCode: 2, message: expect.stringMatching(/^--fail-if "runqueue\.bogus>1": runqueue has no column "bogus"; /) as string }) as Error);
  });
});

describe('FailIf', () => {
  it('is silent when nothing holds', async () => {
    const conditions = failIf(['syscalls.errors>1000']);
    await conditions.check(FRAME);
    await conditions.end();
    expect(said).toBe('');
  });

  it('shows the rows, then fails with a summary', async () => {
    const conditions = failIf(['syscalls.errors>0', 'tcp.outcome=timeout', 'opens.error~E']);
    await conditions.check(FRAME);
    expect(said).toMatch(/^kbtop: --fail-if 'syscalls\.errors>0' holds on 1 row:\nSYSCALL .*ERRORS\nopenat .* 4\nkbtop: --fail-if 'opens\.error~E' holds on 2 rows:\nTIME /);
    await expect(conditions.end()).rejects.toMatchObject({ exitCode: 1, message: '--fail-if \'syscalls.errors>0\' held on 1 row; --fail-if \'opens.error~E\' held on 2 rows' });
  });

  it('shows twenty rows of a condition over all Frames, and counts on', async () => {
    const conditions = failIf(['opens.error~E'], 30);
    for (let i = 0; i < 30; i++) await conditions.check(FRAME);
    expect(said.match(/^.*ENOENT.*$/gm)).toHaveLength(10);
    expect(said.match(/holds on 2 rows of the Frame to 2026-11-21T02:00:05\.000Z:/g)).toHaveLength(10);
    await expect(conditions.end()).rejects.toMatchObject({ exitCode: 1, message: '--fail-if \'opens.error~E\' held on 60 rows of 30 Frames' });
  });

  it('fails with 3 when it cannot tell, but with 1 when another condition held', async () => {
    const cannot = failIf(['tcp.outcome=refused', 'syscalls.errors>1000']);
    await cannot.check(down);
    await expect(cannot.end()).rejects.toMatchObject({ exitCode: 3, message: expect.stringMatching(/^--fail-if 'tcp\.outcome=refused' could not be judged: tcp could not be measured: no such hook; kbtop doctor/) as string });
    const both = failIf(['tcp.outcome=refused', 'syscalls.errors>0']);
    await both.check(down);
    await expect(both.end()).rejects.toMatchObject({ exitCode: 1, message: expect.stringMatching(/errors>0' held on 1 row; .*tcp\.outcome=refused' could not be judged/) as string });
  });

  it('says when events had no row to judge', async () => {
    const { tcp } = FRAME.panes;
    const conditions = failIf(['tcp.outcome=timeout']);
    await conditions.check({ ...FRAME, panes: { ...FRAME.panes, tcp: { ...tcp, loss: { ...tcp.loss, overBudget: 5 } } } });
    await conditions.end();
    expect(said).toBe('kbtop: --fail-if \'tcp.outcome=timeout\' held on no row, but 5 events of tcp have none: they were more than is kept\n');
  });
});
