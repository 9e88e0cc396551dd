import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, failure, getuid, GETUID, noBpf, open, openAttached, openLoaded } from './support.ts';

afterEach(closeAll);

const text = (value: bigint | Uint8Array): string => Buffer.from(value as Uint8Array).toString().replace(/\0+$/, '');

describe('globals before load', () => {
  it('have the values of the source', () => {
    const object = open('counter', { globals: { target_tgid: 0, wanted_nr: 0 } });
    expect(object.getGlobal('signed_value')).toBe(-5n);
    expect(object.getGlobal('flag')).toBe(1n);
    expect(object.getGlobal('small')).toBe(7n);
    expect(object.getGlobal('enabled')).toBe(1n);
    expect(object.getGlobal('hits')).toBe(0n);
    expect(text(object.getGlobal('label'))).toBe('kbtop');
  });

  it('can be set, const ones too', () => {
    const object = open('counter', { globals: { label: Buffer.from('0123456789abcdef'), flag: false, small: 255, signed_value: -(2 ** 31), hits: 2n ** 64n - 1n } });
    expect(text(object.getGlobal('label'))).toBe('0123456789abcdef');
    expect(object.getGlobal('flag')).toBe(0n);
    expect(object.getGlobal('small')).toBe(255n);
    expect(object.getGlobal('signed_value')).toBe(-(2n ** 31n));
    expect(object.getGlobal('hits')).toBe(2n ** 64n - 1n);
    object.setGlobal('wanted_nr', 5);
    expect(object.getGlobal('wanted_nr')).toBe(5n);
    object.setGlobal('signed_value', new Uint8Array([1, 0, 0, 0]));
    expect(object.getGlobal('signed_value')).toBe(1n);
  });

  it('must exist', async () => {
    const object = open('counter');
    expect(await failure(() => object.getGlobal('nobody'))).toMatchObject({ code: 'ERR_BPF_ARGUMENT', message: 'counter has no global variable nobody' });
    expect(await failure(() => object.setGlobal('nobody', 1))).toMatchObject({ code: 'ERR_BPF_ARGUMENT' });
    expect(await failure(() => object.getGlobal(5 as never))).toMatchObject({ code: 'ERR_BPF_ARGUMENT' });
  });
});

describe.skipIf(noBpf)('globals of a loaded object (needs root and BTF)', () => {
  it('are the programs\' own: what they write is read, what is written they see', async () => {
    const object = await openAttached('counter');
    getuid(10);
    expect(object.getGlobal('hits')).toBe(10n);
    object.setGlobal('enabled', 0);
    getuid(10);
    expect(object.getGlobal('hits')).toBe(10n);
    object.setGlobal('enabled', 1n);
    object.setGlobal('hits', 1000);
    getuid(10);
    expect(object.getGlobal('hits')).toBe(1010n);
  });

  it('keep what was set before load', async () => {
    const object = open('counter', { globals: { signed_value: -7 } });
    object.setGlobal('label', Buffer.from('set before load!'));
    await object.load();
    expect(object.getGlobal('signed_value')).toBe(-7n);
    expect(text(object.getGlobal('label'))).toBe('set before load!');
    expect(object.getGlobal('wanted_nr')).toBe(BigInt(GETUID));
    expect(object.getGlobal('target_tgid')).toBe(BigInt(process.pid));
  });

  it('that are const cannot be set any more', async () => {
    const object = await openLoaded('counter');
    expect(await failure(() => object.setGlobal('wanted_nr', 1))).toMatchObject({ code: 'ERR_BPF_ARGUMENT', message: 'variable wanted_nr of counter is const: set it before load()' });
    expect(object.getGlobal('wanted_nr')).toBe(BigInt(GETUID));
  });

  it('are checked for range and size', async () => {
    const object = await openLoaded('counter');
    for (const [name, value] of [['small', 256], ['small', -1n], ['flag', 2], ['signed_value', 2 ** 31], ['label', 1], ['label', new Uint8Array(17)]] as const) {
      expect(await failure(() => object.setGlobal(name, value)), `${name} = ${value}`).toMatchObject({ code: 'ERR_BPF_ARGUMENT' });
    }
    object.setGlobal('flag', true);
    object.setGlobal('signed_value', -1);
    expect(object.getGlobal('signed_value')).toBe(-1n);
  });
});
