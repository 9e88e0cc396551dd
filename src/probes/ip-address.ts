/** Text of binary IP addresses. */

/** Dotted IPv4. @param byte reads the address's byte 0..3 */
export function ipv4Text(byte: (i: number) => number): string {
  return `${byte(0)}.${byte(1)}.${byte(2)}.${byte(3)}`;
}

/** True for ::ffff:0:0/96, IPv4 in an IPv6 socket. @param byte reads the address's byte 0..15 */
export function isMappedIpv4(byte: (i: number) => number): boolean {
  for (let i = 0; i < 10; i++) if (byte(i) !== 0) return false;
  return byte(10) === 0xff && byte(11) === 0xff;
}

/** IPv6 as RFC 5952 wants it: lower case, no leading zeros, the longest (first) run of two or more zero groups as "::". */
export function ipv6Text(byte: (i: number) => number): string {
  const groups = Array.from({ length: 8 }, (_, i) => byte(2 * i) * 256 + byte(2 * i + 1));
  let start = -1, length = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > length) [start, length] = [i, n];
    i += n;
  }
  const text = (from: number, to: number): string => groups.slice(from, to).map((group) => group.toString(16)).join(':');
  return start < 0 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`;
}
