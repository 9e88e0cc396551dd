import { describe, expect, it } from 'vitest';
import type { Choice, Ground } from '../../../src/ui/chaos/choices.ts';
import { choicesOf, errorChoice, likelyError } from '../../../src/ui/chaos/choices.ts';
import { emptyForm, type Form } from '../../../src/ui/chaos/fields.ts';
import { BARE, FULL, STOCK } from '../../chaos/capabilities-fixture.ts';
import { FakeNode } from '../fixtures.ts';
import { withRows } from '../states.ts';
import { TARGET } from './rig.ts';

const frame = new FakeNode().next();
const ground = (more: Partial<Ground> = {}): Ground => ({ frame, capabilities: FULL, expert: false, ...more });
const form = (more: Partial<Form> = {}): Form => emptyForm({ target: TARGET, call: 'openat', ...more });
const able = (choices: readonly Choice[]): string[] => choices.filter(({ not }) => not === null).map(({ value }) => value);

describe('errors to choose from', () => {
  it('are the likely ones first, with their plain meaning', () => {
    const [first, ...rest] = choicesOf('error', form(), null, ground());
    expect(first).toEqual({ value: 'ENOENT', meaning: 'there is no such file', not: null });
    expect(rest.map(({ value }) => value)).toContain('ENOSPC');
    expect(likelyError(form(), ground())).toBe('ENOENT');
  });

  it('are greyed where this kernel cannot give them, with the reason', () => {
    const choices = choicesOf('error', form({ call: 'connect' }), null, ground({ capabilities: { ...BARE, cgroupAnyErrno: false } }));
    expect(able(choices).every((errno) => errno === 'EPERM')).toBe(true);
    expect(choices.find(({ value }) => value === 'ECONNREFUSED')?.not).toContain('EPERM only');
    expect(able(choicesOf('error', form({ call: 'fsync' }), null, ground({ capabilities: STOCK })))).toEqual([]);
  });

  it('are none of calls that no rule may fail, unless expert mode allows it', () => {
    expect(able(choicesOf('error', form({ call: 'close' }), null, ground()))).toEqual([]);
    expect(choicesOf('error', form({ call: 'close' }), null, ground())[0]?.not).toMatch(/^errors of close are refused: .*--expert allows them$/);
    expect(able(choicesOf('error', form({ call: 'close' }), null, ground({ expert: true })))).toContain('EIO');
    // Wrong even there: the descriptor is closed all the same.
    expect(able(choicesOf('error', form({ call: 'close' }), null, ground({ expert: true })))).not.toContain('EINTR');
  });

  it('of a family are those that at least one of its calls can be given', () => {
    expect(able(choicesOf('error', form({ call: '%open' }), null, ground({ capabilities: STOCK })))).toContain('ENOSPC');
  });

  it('are narrowed by what is typed, and others are told as not usual', () => {
    expect(choicesOf('error', form(), 'enos', ground()).map(({ value }) => value)).toEqual(['ENOSPC']);
    expect(errorChoice(form({ error: 'edom' }), ground())).toMatchObject({ value: 'EDOM', not: null, meaning: expect.stringMatching(/not usual/) });
  });
});

describe('calls to choose from', () => {
  it('are those that the target makes, with their rate, the most frequent first', () => {
    const key = Object.entries(frame.containers).find(([, { pod, container }]) => pod === TARGET.split('/')[1] && container === 'nginx')![0];
    const row = { ...frame.panes.syscalls.rows[0]!, container: key };
    const busy = withRows(frame, 'syscalls', [{ ...row, syscall: 'read', ratePerSec: 12.34 }, { ...row, syscall: 'write', ratePerSec: 500.6 }, { ...row, syscall: 'read', abi: 'i386', ratePerSec: 1 }, { ...row, container: 'other', syscall: 'fsync' }]);
    expect(choicesOf('call', form({ call: '' }), null, ground({ frame: busy }))).toEqual([{ value: 'write', meaning: '501/s', not: null }, { value: 'read', meaning: '13.3/s', not: null }]);
  });

  it('are all that there are when something is typed, those that are made first', () => {
    const values = choicesOf('call', form(), 'op', ground()).map(({ value }) => value);
    expect(values[0]).toBe('openat');
    expect(values).toEqual(expect.arrayContaining(['%open', 'open', 'openat2']));
  });

  it('go on behind a comma', () => {
    const values = choicesOf('call', form(), 'openat,fsy', ground()).map(({ value }) => value);
    expect(values).toContain('openat,fsync');
    expect(values).not.toContain('openat,openat');
  });
});

describe('threads to choose from', () => {
  it('are those of the target that used the CPU', () => {
    expect(choicesOf('comm', form(), null, ground()).map(({ value }) => value)).toEqual(['nginx', 'worker']);
  });
});
