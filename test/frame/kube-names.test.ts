import { describe, expect, it } from 'vitest';
import { dnsLabelMistake, dnsSubdomainMistake, labelKeyMistake, labelValueMistake } from '../../src/frame/kube-names.ts';

const long = (n: number): string => 'a'.repeat(n);

describe('label keys', () => {
  it.each(['a', 'A', '0', 'app', 'app.kubernetes.io/name', 'a_b.c-d', 'x.y-z/A_1', long(63), `${long(253)}/${long(63)}`])('%j is one', (key) => expect(labelKeyMistake(key)).toBeNull());

  it.each([
    ['', 0], ['-a', 0], ['a-', 1], ['.a', 0], ['a.', 1], ['_a', 0], ['a b', 1], ['aä', 1], ['a$b', 1], [long(64), 63],
    ['/a', 0], ['a/', 2], ['a/b/c', 3], ['A/b', 0], ['a_b/c', 1], ['-a/b', 0], ['a-/b', 1], ['a..b/c', 2], ['.a/b', 0], ['a./b', 2], ['a/-b', 2], ['a/b-', 3],
    [`${long(254)}/a`, 253], [`a/${long(64)}`, 65], ['\u{1f600}', 0],
  ])('%j is none, from character %i on', (key, at) => expect(labelKeyMistake(key)).toMatchObject({ at, problem: expect.stringMatching(/^(?:must|cannot|is|has) [^\n]+$/) as string }));
});

describe('label values', () => {
  it.each(['', 'a', 'A.b_c-d', '0', 'in', long(63)])('%j is one', (value) => expect(labelValueMistake(value)).toBeNull());
  it.each([['-', 0], ['a/b', 1], ['-1', 0], ['a.', 1], [long(64), 63], ['é', 0]])('%j is none, from character %i on', (value, at) => expect(labelValueMistake(value)?.at).toBe(at));
});

describe('DNS names', () => {
  it.each(['shop', 'kube-system', '0', long(63)])('%j may be a namespace', (name) => expect(dnsLabelMistake(name)).toBeNull());
  it.each([['', 0], ['Shop', 0], ['a.b', 1], ['a_b', 1], ['-a', 0], ['a-', 1], [long(64), 63]])('%j may not, from character %i on', (name, at) => expect(dnsLabelMistake(name)?.at).toBe(at));
  it.each(['worker-1', 'ip-10-0-0-1.ec2.internal', long(253)])('%j may be a node', (name) => expect(dnsSubdomainMistake(name)).toBeNull());
  it.each([['', 0], ['Worker', 0], ['a..b', 2], ['a.', 2], ['a.-b', 2], [long(254), 253]])('%j may not, from character %i on', (name, at) => expect(dnsSubdomainMistake(name)?.at).toBe(at));
});
