import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GrammarMistake, formatInject, grammarError, parseInject, readInject } from '../../src/chaos/grammar.ts';
import { CALL_NAMES } from '../../src/chaos/families.ts';
import type { Rule } from '../../src/chaos/rule.ts';
import { validateRule } from '../../src/chaos/validate.ts';
import { anyRule, ruleOf } from './arbitrary.ts';

function parsed(text: string): Rule {
  const result = parseInject(text);
  if (!result.ok) throw new Error(grammarError(result.mistakes));
  return result.value;
}

function mistakes(text: string): readonly GrammarMistake[] {
  const result = parseInject(text);
  return result.ok ? [] : result.mistakes;
}

describe('parseInject', () => {
  it.each<[string, Partial<Rule>]>([
    ['openat:error=ENOSPC', { syscalls: ['openat'], effect: { kind: 'error', errno: 'ENOSPC' }, skip: 0, every: 1, last: null, maxHits: 100, durationMs: 60_000, target: null }],
    ['openat,openat2:error=ENOSPC:when=3+2', { syscalls: ['openat', 'openat2'], skip: 2, every: 2, last: null }],
    ['%open,read:error=EIO', { syscalls: ['%open', 'read'] }],
    ['sockopt:error=ENOPROTOOPT', { syscalls: ['%sockopt'] }],
    ['/^fsync$|^fdatasync$:error=EIO', { syscalls: ['fdatasync', 'fsync'] }],
    ['?openat9,openat:error=EIO', { syscalls: ['openat'] }],
    ['?%open:error=EIO', { syscalls: ['%open'] }],
    ['read:error=5', { effect: { kind: 'error', errno: 'EIO' } }],
    ['read:error=11', { effect: { kind: 'error', errno: 'EAGAIN' } }],
    ['read:signal=SIGTERM', { effect: { kind: 'signal', signal: 'SIGTERM' } }],
    ['read:signal=9', { effect: { kind: 'signal', signal: 'SIGKILL' } }],
    ['read:delay_enter=1500', { effect: { kind: 'delay', us: 1500 } }],
    ['read:delay_enter=1.5ms', { effect: { kind: 'delay', us: 1500 } }],
    ['read:delay_enter=2s', { effect: { kind: 'delay', us: 2_000_000 } }],
    ['read:delay_enter=3000ns', { effect: { kind: 'delay', us: 3 } }],
    ['read:when=3:error=EIO', { skip: 2, every: 1, last: 3 }],
    ['read:error=EIO:when=1', { skip: 0, every: 1, last: 1 }],
    ['read:error=EIO:when=1+', { skip: 0, every: 1, last: null }],
    ['read:error=EIO:when=3+', { skip: 2, every: 1, last: null }],
    ['read:error=EIO:when=3..7', { skip: 2, every: 1, last: 7 }],
    ['read:error=EIO:when=3..7+', { skip: 2, every: 1, last: 7 }],
    ['read:error=EIO:when=3..7+2', { skip: 2, every: 2, last: 7 }],
    ['read:error=EIO:when=65535+65535', { skip: 65_534, every: 65_535, last: null }],
    ['read:error=EIO:when=5..9+3:when=2', { skip: 1, every: 1, last: 2 }],
  ])('%s', (text, expected) => expect(parsed(text)).toMatchObject(expected));

  // [text, [index, length, start of the message] of each mistake]
  it.each<[string, ...(readonly [number, number, string])[]]>([
    ['', [0, 0, 'a system call was expected, such as openat, %open or /^open']],
    [':error=EIO', [0, 0, 'a system call was expected']],
    ['openat', [6, 0, 'an effect was expected: error=ERRNO, signal=SIGNAL or delay_enter=TIME']],
    ['openat:', [7, 0, 'an option was expected: error, signal, delay_enter, when']],
    ['openat::error=EIO', [7, 0, 'an option was expected']],
    ['openat:error=EIO:', [17, 0, 'an option was expected']],
    ['openat:when=1', [13, 0, 'an effect was expected']],
    ['openat:error', [12, 0, '"=" and a value were expected after error']],
    ['openat:error=', [13, 0, 'a value was expected after error=']],
    ['openat:error=ENOSPCE', [13, 7, 'there is no errno "ENOSPCE"; did you mean ENOSPC?']],
    ['openat:error=ERESTARTNOHAND', [13, 14, 'ERESTARTNOHAND is the kernel\'s own way to restart a call']],
    ['openat:error=ENOTSUPP', [13, 8, 'ENOTSUPP is used inside the kernel only']],
    ['openat:error=0', [13, 1, 'there is no errno 0: 1 to 133, or a name']],
    ['openat:error=4095', [13, 4, 'there is no errno 4095']],
    ['openat:error=512', [13, 3, 'ERESTARTSYS is the kernel\'s own way']],
    ['openat:eror=EIO', [7, 4, 'unknown option "eror"; did you mean error?']],
    ['openat:Error=EIO', [7, 5, 'unknown option "Error"; did you mean error?']],
    ['openat:error =EIO', [7, 6, 'unknown option "error "; did you mean error?']],
    ['openat: error=EIO', [7, 6, 'unknown option " error"; did you mean error?']],
    ['openat:delay=5ms', [7, 5, 'unknown option "delay"; did you mean delay_enter?']],
    ['opnat:error=EIO', [0, 5, 'there is no system call "opnat"; did you mean openat?']],
    ['openat,opnat2:error=EIO', [7, 6, 'there is no system call "opnat2"; did you mean openat2?']],
    ['openat,,read:error=EIO', [7, 0, 'a system call was expected']],
    ['openat,:error=EIO', [7, 0, 'a system call was expected']],
    ['%opne:error=EIO', [0, 5, 'there is no family "%opne"; did you mean open?']],
    ['openat, read:error=EIO', [7, 5, 'there is no system call " read"']],
    ['!openat:error=EIO', [0, 7, 'everything but some calls is too wide']],
    ['all:error=EIO', [0, 3, '"all" is refused']],
    ['none:error=EIO', [0, 4, '"none" is refused']],
    ['openat@32:error=EIO', [0, 9, '"openat@32" is refused: 32-bit and 64-bit calls always go together; write openat']],
    ['?nothing:error=EIO', [0, 8, 'syscalls lacks a system call']],
    ['/(:error=EIO', [0, 2, '/( is not a regular expression']],
    ['/:error=EIO', [0, 1, '/ is not a regular expression']],
    ['/zzz:error=EIO', [0, 4, 'no system call matches /zzz']],
    ['/.:error=EIO', [0, 2, `${CALL_NAMES.length} system calls are too many: 64 at most`]],
    ['read:retval=0', [5, 6, 'retval is refused: a call that did nothing must not look like a success']],
    ['read:syscall=getpid:error=EIO', [5, 7, 'syscall is refused']],
    ['read:poke_enter=@arg1=00', [5, 10, 'poke_enter is refused']],
    ['read:poke_exit=@arg1=00', [5, 9, 'poke_exit is refused']],
    ['read:delay_exit=5ms', [5, 10, 'delay_exit is refused: kbtop delays a call before it runs; use delay_enter']],
    ['read:error=EIO:signal=SIGTERM', [15, 6, 'one effect per rule: a second rule can have the other']],
    ['read:error=EIO:delay_enter=5', [15, 11, 'one effect per rule']],
    ['read:error=EIO:error=EIO', [15, 5, 'error is given twice']],
    ['read:delay_enter=5:delay_enter=6', [19, 11, 'delay_enter is given twice']],
    ['read:signal=SIGTREM', [12, 7, 'there is no signal "SIGTREM"; did you mean SIGTERM?']],
    ['read:signal=65', [12, 2, 'there is no signal "65"']],
    ['read:signal=SIGRTMIN', [12, 8, 'there is no signal "SIGRTMIN"']],
    ['read:delay_enter=5m', [17, 2, '"5m" is not a delay such as 250us, 5ms or 1.5s']],
    ['read:delay_enter=-5', [17, 2, '"-5" is not a delay']],
    ['read:delay_enter=0', [17, 1, 'delay must be at least 1us']],
    ['read:delay_enter=400ns', [17, 5, 'delay must be at least 1us']],
    ['read:delay_enter=6s', [17, 2, 'delay must be at most 5s']],
    ['read:error=EIO:when=', [20, 0, 'a value was expected after when=']],
    ['read:error=EIO:when=x', [20, 0, 'the number of the first call was expected']],
    ['read:error=EIO:when=+2', [20, 0, 'the number of the first call was expected']],
    ['read:error=EIO:when=-1', [20, 0, 'the number of the first call was expected']],
    ['read:error=EIO:when=0', [20, 1, 'FIRST must be 1 to 65535']],
    ['read:error=EIO:when=65536', [20, 5, 'FIRST must be 1 to 65535']],
    ['read:error=EIO:when=99999999999999999999', [20, 20, 'FIRST must be 1 to 65535']],
    ['read:error=EIO:when=3x', [21, 1, '"..", "+" or the end of when= was expected']],
    ['read:error=EIO:when=3.5', [21, 2, '"..", "+" or the end of when= was expected']],
    ['read:error=EIO:when=3..', [23, 0, 'the number of the last call was expected after ..']],
    ['read:error=EIO:when=3..+2', [23, 0, 'the number of the last call was expected after ..']],
    ['read:error=EIO:when=3..2', [23, 1, 'LAST must not be before FIRST, which is 3']],
    ['read:error=EIO:when=3..65535', [23, 5, 'LAST must be 1 to 65534']],
    ['read:error=EIO:when=3..0', [23, 1, 'LAST must be 1 to 65534']],
    ['read:error=EIO:when=3..5x', [24, 1, '"+" or the end of when= was expected']],
    ['read:error=EIO:when=3..5..7', [24, 3, '"+" or the end of when= was expected']],
    ['read:error=EIO:when=3+0', [22, 1, 'STEP must be 1 to 65535']],
    ['read:error=EIO:when=3+65536', [22, 5, 'STEP must be 1 to 65535']],
    ['read:error=EIO:when=3+2x', [23, 1, 'the end of when= was expected']],
    ['read:error=EIO:when=3++', [22, 1, 'the end of when= was expected']],
    ['read:error=EIO:constructor=1', [15, 11, 'unknown option "constructor"']],
    ['reed,rite:eror=X:signal=SIGX:when=0', [0, 4, 'there is no system call "reed"'], [5, 4, 'there is no system call "rite"'], [10, 4, 'unknown option "eror"'], [24, 4, 'there is no signal "SIGX"'], [34, 1, 'FIRST must be']],
    ['opnat:when=3x', [0, 5, 'there is no system call "opnat"'], [12, 1, '"..", "+" or']],
  ])('%j is refused', (text, ...expected) => {
    const got = mistakes(text);
    expect(got.map(({ index, length }) => [index, length])).toEqual(expected.map(([index, length]) => [index, length]));
    for (const [i, [, , start]] of expected.entries()) expect(got[i]?.message.slice(0, start.length)).toBe(start);
  });

  it('says where in one line', () => {
    expect(grammarError(mistakes('openat:eror=EIO,'))).toMatch(/^character 8: unknown option "eror"; did you mean error\?/);
    expect(grammarError(mistakes('x'.repeat(5000)))).toBe('character 4097: the string is longer than 4096 characters');
  });

  it('never throws and always points into the string', () => {
    const piece = fc.constantFrom('openat', '%open', '/^o', ',', ':', '=', 'error', 'error=EIO', 'when=', '3', '..', '+', 'signal=', 'delay_enter=', '5ms', '?', '!', '@64', '(', '\n', 'é', '__proto__');
    fc.assert(fc.property(fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')), (text) => {
      const result = readInject(text);
      if (result.ok) {
        expect(validateRule(result.value).ok).toBe(true);
        return;
      }
      expect(result.mistakes.length).toBeGreaterThan(0);
      for (const { index, length, message } of result.mistakes) {
        expect(index).toBeGreaterThanOrEqual(0);
        expect(index + length).toBeLessThanOrEqual(text.length);
        expect(message).not.toBe('');
      }
    }), { numRuns: 2000 });
  });
});

describe('formatInject', () => {
  it.each<[Parameters<typeof ruleOf>[0], string, string[]]>([
    [{ syscalls: ['openat'], error: 'EIO' }, 'openat:error=EIO', []],
    [{ syscalls: ['openat', '%read'], signal: 'SIGTERM', skip: 2, every: 2 }, '%read,openat:signal=SIGTERM:when=3+2', []],
    [{ syscalls: ['read'], delay: 5000, last: 1 }, 'read:delay_enter=5ms:when=1', []],
    [{ syscalls: ['read'], delay: 5001, skip: 2, last: 9 }, 'read:delay_enter=5001us:when=3..9', []],
    [{ syscalls: ['read'], error: 'EIO', skip: 2, last: 3, every: 5 }, 'read:error=EIO:when=3..3+5', []],
    [{ syscalls: ['read'], error: 'EIO', skip: 1 }, 'read:error=EIO:when=2+', []],
    [{ syscalls: ['read'], error: 'EIO', skip: 70_000, last: 80_000 }, 'read:error=EIO', ['skip', 'every', 'last']],
    [{ syscalls: ['connect'], error: 'EIO', where: { port: 80, comm: 'x' }, probability: 0.5, maxHits: 3, duration: 5000, seed: 1, name: 'a', target: { cgroup: '/x' }, backend: 'cgroup' }, 'connect:error=EIO', ['name', 'target', 'probability', 'maxHits', 'duration', 'seed', 'backend', 'where.port', 'where.comm']],
    [{ syscalls: ['openat'], kernel: { fault: 'slab', function: 'x' } }, 'openat:error=ENOMEM', ['kernel']],
  ])('%j', (draft, text, lost) => expect(formatInject(ruleOf(draft))).toEqual({ text, lost }));

  it('gives a string that parses to the same rule, but for what it says is lost', () => {
    fc.assert(fc.property(anyRule, (rule) => {
      const { text, lost } = formatInject(rule);
      const back = parsed(text);
      const path = (key: string): string => (key === 'durationMs' ? 'duration' : key);
      for (const key of Object.keys(rule) as (keyof Rule)[]) {
        if (key === 'where') continue;
        if (!lost.includes(path(key))) expect({ [key]: back[key] }).toEqual({ [key]: rule[key] });
        else if (key !== 'skip' && key !== 'every' && key !== 'last') expect(back[key]).not.toEqual(rule[key]);
      }
      for (const [key, value] of Object.entries(rule.where)) expect(lost.includes(`where.${key}`)).toBe(value !== null);
      expect(formatInject(back)).toEqual({ text, lost: [] });
    }), { numRuns: 500 });
  });
});
