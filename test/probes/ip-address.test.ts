import fc from 'fast-check';
import { BlockList, isIPv6 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ipv4Text, ipv6Text, isMappedIpv4 } from '../../src/probes/ip-address.ts';

const reader = (bytes: ArrayLike<number>) => (i: number): number => bytes[i] ?? 0;
const groups = (...values: number[]): number[] => values.flatMap((value) => [value >> 8, value & 0xff]);

describe('IP addresses', () => {
  it('write IPv4 with dots', () => expect(ipv4Text(reader([10, 0, 255, 1]))).toBe('10.0.255.1'));

  it.each([
    [groups(0, 0, 0, 0, 0, 0, 0, 0), '::'],
    [groups(0, 0, 0, 0, 0, 0, 0, 1), '::1'],
    [groups(0xfe80, 0, 0, 0, 0, 0, 0, 0), 'fe80::'],
    [groups(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), '2001:db8::1:0:0:1'],
    [groups(0x2001, 0, 0, 1, 0, 0, 0, 1), '2001:0:0:1::1'],
    [groups(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), '2001:db8:0:1:1:1:1:1'],
    [groups(0x2001, 0xdb8, 0xa, 0xb, 0xc, 0xd, 0xe, 0xff), '2001:db8:a:b:c:d:e:ff'],
  ])('write IPv6 as RFC 5952 wants it: %j', (bytes, text) => expect(ipv6Text(reader(bytes))).toBe(text));

  it('write any IPv6 address so that it can be read back', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 }), (values) => {
      const text = ipv6Text(reader(groups(...values)));
      const list = new BlockList();
      list.addAddress(values.map((value) => value.toString(16)).join(':'), 'ipv6');
      return isIPv6(text) && list.check(text, 'ipv6') && text === text.toLowerCase() && !/::.*::/.test(text);
    }));
  });

  it('know IPv4 in IPv6', () => {
    expect(isMappedIpv4(reader([...groups(0, 0, 0, 0, 0, 0xffff), 10, 0, 0, 1]))).toBe(true);
    expect(isMappedIpv4(reader(groups(0, 0, 0, 0, 0, 0, 0, 1)))).toBe(false);
    expect(isMappedIpv4(reader([...groups(0, 0, 0, 0, 1, 0xffff), 10, 0, 0, 1]))).toBe(false);
  });
});
