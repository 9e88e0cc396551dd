import { describe, expect, it } from 'vitest';
import { FALLBACK_ERRORS, FAMILY_ERRORS, FAMILY_MEANINGS, MEANINGS } from '../../src/chaos/errors-data.ts';
import { RETRY_CAUTION, errorsOf, isUsual, meaningOf } from '../../src/chaos/errors.ts';
import { ERRNO_NAMES, canonicalErrno } from '../../src/chaos/errnos.ts';
import { FAMILIES } from '../../src/chaos/families.ts';
import { errnoNumber } from '../../src/frame/errno.ts';

describe('the menu of errors', () => {
  it.each(FAMILIES.filter(({ name }) => name !== 'exit').map(({ name }) => name))('has errors for %%%s that exist, once each, with a meaning', (name) => {
    const choices = errorsOf(`%${name}`);
    expect(FAMILY_ERRORS[name]).toBeDefined();
    expect(new Set(choices.map(({ errno }) => errno)).size).toBe(choices.length);
    for (const { errno, meaning } of choices) {
      expect(canonicalErrno(errno)).toBe(errno);
      expect(meaning).not.toBe('no description');
      expect(meaning).toMatch(/^[a-z].{3,60}[^.]$/);
    }
  });

  it('has no words for families and errors that there are not', () => {
    const families = new Set(FAMILIES.map(({ name }) => name));
    expect([...Object.keys(FAMILY_ERRORS), ...Object.keys(FAMILY_MEANINGS)].filter((name) => !families.has(name))).toEqual([]);
    for (const [family, meanings] of Object.entries(FAMILY_MEANINGS)) expect(Object.keys(meanings).filter((errno) => !FAMILY_ERRORS[family]?.split(' ').includes(errno))).toEqual([]);
    const used = new Set([...Object.values(FAMILY_ERRORS), FALLBACK_ERRORS].flatMap((words) => words.split(' ')));
    expect(Object.keys(MEANINGS).filter((errno) => !used.has(errno))).toEqual([]);
  });

  it('begins with what is likely, and knows the family of a call', () => {
    expect(errorsOf('openat')).toEqual(errorsOf('%open'));
    expect(errorsOf('write')[0]).toEqual({ errno: 'ENOSPC', meaning: 'the disk is full', caution: null });
    expect(errorsOf('connect')[0]?.errno).toBe('ECONNREFUSED');
    expect(errorsOf('accept4')[0]?.errno).toBe('EMFILE');
    expect(errorsOf('rename')[0]?.errno).toBe('EXDEV');
    expect(errorsOf('uname').map(({ errno }) => errno)).toEqual(FALLBACK_ERRORS.split(' '));
    expect(isUsual('ENOSPC', 'write')).toBe(true);
    expect(isUsual('ECONNREFUSED', 'write')).toBe(false);
  });

  it('warns of errors that callers retry', () => {
    for (const { errno, caution } of FAMILIES.flatMap(({ name }) => errorsOf(`%${name}`))) expect(caution).toBe(errno === 'EINTR' || errno === 'EAGAIN' ? RETRY_CAUTION : null);
  });

  it('says what an error means for this call', () => {
    expect(meaningOf('EAGAIN', 'fork')).toBe('the limit of processes or threads is reached');
    expect(meaningOf('EAGAIN')).toBe('not now: try again');
    expect(meaningOf('EHWPOISON', 'read')).toBeNull();
  });
});

it('errno names go from 1 to 133 without restart codes', () => {
  expect(ERRNO_NAMES).toHaveLength(130);
  for (const name of ERRNO_NAMES) {
    expect(errnoNumber(name)).toBeLessThanOrEqual(133);
    expect(name).not.toMatch(/^ERESTART/);
  }
});
