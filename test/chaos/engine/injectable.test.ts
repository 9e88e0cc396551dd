import { describe, expect, it } from 'vitest';
import { injectableFunctions, injectableSymbols, parseInjectable } from '../../../src/chaos/engine/injectable.ts';

const refusing = (code: string) => ({ readUnmounted: (): string => { throw Object.assign(new Error(code), { code }); } });

it('parseInjectable takes the names', () => expect([...parseInjectable('__x64_sys_openat\tERRNO\nshould_fail_bio\tERRNO\n')]).toEqual(['__x64_sys_openat', 'should_fail_bio']));

describe('injectableSymbols', () => {
  it('takes the entries of the table', () => expect([...injectableSymbols('ffff t _eil_addr___x64_sys_read\nffff d _eil_addr_should_failslab\n') ?? []]).toEqual(['__x64_sys_read', 'should_failslab']));
  it('knows that there are none', () => expect(injectableSymbols('ffff T __x64_sys_read\n')).toEqual(new Set()));
  it('does not know where data has no names', () => expect(injectableSymbols('ffff T get_injectable_error_type\n')).toBe(null));
  it('does not know where nothing has', () => expect(injectableSymbols('')).toBe(null));
});

describe('injectableFunctions', () => {
  it('prefers the list', () => expect(injectableFunctions({ readUnmounted: () => 'a\tERRNO\n' }, () => '')).toEqual(new Set(['a'])));
  it('takes a missing list for none', () => expect(injectableFunctions(refusing('ENOENT'), () => 'x T get_injectable_error_type\n')).toEqual(new Set()));
  it('looks at symbols where debugfs is closed', () => expect(injectableFunctions(refusing('EPERM'), () => 'x d _eil_addr_b\n')).toEqual(new Set(['b'])));
  it('does not know where neither can be read', () => expect(injectableFunctions(refusing('EPERM'), () => { throw new Error('EACCES'); })).toBe(null));
});
