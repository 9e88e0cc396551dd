import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Check, check } from '../../../src/cli/doctor/check.ts';
import { plainTable, tableOf, wrap } from '../../../src/cli/doctor/render.ts';

const CHECKS: Check[] = [
  check('panes', 'tcp', true, '7 of 7 programs attached', 'nothing to fix'),
  check('chaos', 'LSM', false, 'not permitted (EPERM): this kernel refuses lsm programs even to this root user', 'boot with lsm=bpf'),
  check('kernel', 'evil', null, 'a \u001b[31m line'),
];

describe('wrap', () => {
  it('breaks at spaces, loses nothing, and never passes the width', () => {
    fc.assert(fc.property(fc.array(fc.stringMatching(/^[a-z]{1,30}$/)), fc.integer({ min: 5, max: 60 }), (words, width) => {
      const lines = wrap(words.join(' '), width);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      expect(lines.join('').replaceAll(' ', '')).toBe(words.join(''));
    }));
    expect(wrap('a bc def', 5)).toEqual(['a bc', 'def']);
    expect(wrap('', 5)).toEqual(['']);
  });
});

describe('plainTable', () => {
  it('puts each check on a line in a pipe, with the advice where something is wrong', () => {
    expect(plainTable(CHECKS, null, false)).toBe([
      'CHECK       OK       WHY',
      'tcp pane    yes      7 of 7 programs attached',
      'chaos: LSM  no       not permitted (EPERM): this kernel refuses lsm programs even to this root user; boot with lsm=bpf',
      'evil        unknown  a \\e[31m line',
      '',
    ].join('\n'));
  });

  it('wraps reasons to the terminal, with the name once', () => {
    const lines = plainTable(CHECKS, 50, false).split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(50);
    expect(lines.filter((line) => line.startsWith('chaos: LSM'))).toHaveLength(1);
    expect(tableOf(CHECKS, 50, 4).filter(({ CHECK }) => CHECK === '').length).toBeGreaterThan(1);
  });

  it('colours the answers', () => {
    expect(plainTable(CHECKS, 80, true)).toContain('\u001b[31mno\u001b[39m');
  });
});
