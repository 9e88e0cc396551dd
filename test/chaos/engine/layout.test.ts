/** What layout.ts writes and reads against what clang made of bpf/chaos/, as its BTF tells. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { objectPath } from '../../../src/bpf/objects.ts';
import { RecordReader } from '../../../src/bpf/records.ts';
import { limitsOf } from '../../../src/chaos/decide.ts';
import { CALL_AT, CALL_BYTES, COMM_AT, COUNTERS, decodeCounters, decodeHit, EFFECT, encodeCall, encodeRule, freshCounters, HIT_AT, HIT_BYTES, type KernelRule, NO_ARGUMENTS, PATH_AT, RULE_BYTES, RULE_WORDS } from '../../../src/chaos/engine/layout.ts';
import { parseGlob } from '../../../src/chaos/glob.ts';

interface BtfType {
  readonly kind: string;
  readonly name: string;
  readonly size?: number;
  readonly members?: readonly { readonly name: string; readonly bits_offset: number }[];
  readonly values?: readonly { readonly name: string; readonly val: number }[];
}
const { types } = JSON.parse(execFileSync('bpftool', ['-j', 'btf', 'dump', 'file', objectPath('chaos/core')], { encoding: 'utf8', maxBuffer: 1 << 26 })) as { types: readonly BtfType[] };

function struct(name: string): { readonly size: number; readonly at: Readonly<Record<string, number>> } {
  const type = types.find((one) => one.kind === 'STRUCT' && one.name === name);
  return { size: type?.size ?? -1, at: Object.fromEntries((type?.members ?? []).map((member) => [member.name, member.bits_offset / 8])) };
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const RULE: KernelRule = {
  id: 7n, armedNs: 1n, untilNs: 2n, effect: 'error', value: 28n, dryRun: false, yields: false,
  limits: limitsOf({ probability: 1, skip: 3, every: 4, last: 5, maxHits: 6, seed: 0 }), uid: null, fd: null, port: null, comm: null, path: null,
};

describe('the structures', () => {
  it('rule', () => expect(struct('rule')).toEqual({ size: RULE_BYTES, at: { ...Object.fromEntries(RULE_WORDS.map((name, i) => [name, i * 8])), comm: COMM_AT, path: PATH_AT } }));
  it('rule_state', () => expect(struct('rule_state')).toEqual({ size: freshCounters(1n).length, at: { id: 0, ...Object.fromEntries(COUNTERS.map((name, i) => [snake(name), (i + 1) * 8])) } }));
  it('call_rules', () => expect(struct('call_rules')).toMatchObject({ size: CALL_BYTES, at: CALL_AT }));
  it('hit', () => {
    const { time, held, ...rest } = HIT_AT;
    expect(struct('hit')).toMatchObject({ size: HIT_BYTES, at: { time_ns: time, held_ns: held, ...Object.fromEntries(Object.entries(rest).map(([name, at]) => [snake(name), at])) } });
  });
  it('effects', () => {
    const values = types.find(({ kind, name }) => kind === 'ENUM' && name === 'effect')?.values ?? [];
    expect(Object.fromEntries(values.map(({ name, val }) => [name.replace('EFFECT_', '').toLowerCase(), val]))).toEqual(EFFECT);
  });
});

describe('encodeRule', () => {
  const words = (rule: KernelRule): Record<string, bigint> => {
    const view = new DataView(encodeRule(rule).buffer);
    return Object.fromEntries(RULE_WORDS.map((name, i) => [name, view.getBigUint64(i * 8, true)]));
  };
  const ANY = 2n ** 64n - 1n;

  it('writes every word', () => {
    expect(words(RULE)).toEqual({ id: 7n, armed_ns: 1n, until_ns: 2n, effect: 1n, value: 28n, flags: 0n, skip: 3n, every: 4n, last: 5n, p32: 2n ** 32n, key: 0n, max_hits: 6n, uid: ANY, fd: ANY, port: ANY, comm_bytes: 0n, path_ops: 0n });
    expect(words({ ...RULE, dryRun: true, yields: true, uid: 0, fd: 1, port: 2, comm: 'é', path: parseGlob('a*?') })).toMatchObject({ flags: 7n, uid: 0n, fd: 1n, port: 2n, comm_bytes: 2n, path_ops: 3n });
    expect(words({ ...RULE, path: parseGlob('/a') })).toMatchObject({ flags: 0n, path_ops: 2n });
  });

  it('writes texts where the kernel looks for them, and refuses those that do not fit', () => {
    const bytes = encodeRule({ ...RULE, comm: 'ab', path: parseGlob('x*') });
    expect([...bytes.subarray(COMM_AT, COMM_AT + 3), ...new Uint16Array(bytes.buffer, PATH_AT, 3)]).toEqual([97, 98, 0, 120, 257, 0]);
    expect(encodeRule({ ...RULE, path: parseGlob('x'.repeat(127)) })).toHaveLength(RULE_BYTES);
    expect(() => encodeRule({ ...RULE, comm: 'x'.repeat(16) })).toThrow(RangeError);
    expect(() => encodeRule({ ...RULE, comm: '' })).toThrow(RangeError);
    expect(() => encodeRule({ ...RULE, path: { operations: Array.from({ length: 128 }, () => 120), nameOnly: true } })).toThrow(RangeError);
  });
});

it('encodeCall marks what a call has not', () => {
  expect([...encodeCall(5, NO_ARGUMENTS)].slice(0, 9)).toEqual([5, 0, 0, 0, 255, 255, 255, 255, 255]);
  expect([...encodeCall(0x80, { path: [1, 3], fd: [0], address: 4 })].slice(0, 9)).toEqual([0x80, 0, 0, 0, 1, 3, 0, 255, 4]);
});

it('decodeCounters reads each word', () => {
  const words = new BigInt64Array([99n, ...COUNTERS.map((_, i) => BigInt(i + 1))]);
  expect(Object.values(decodeCounters(new Uint8Array(words.buffer)))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(Object.values(decodeCounters(freshCounters(7n)))).toEqual(COUNTERS.map(() => 0));
});

it('decodeHit reads each field', () => {
  const bytes = new ArrayBuffer(HIT_BYTES + 8);
  const view = new DataView(bytes), at = 8;
  view.setBigUint64(at + HIT_AT.time, 123n, true);
  view.setBigUint64(at + HIT_AT.id, 9n, true);
  view.setBigUint64(at + HIT_AT.cgroup, 2n ** 63n + 1n, true);
  view.setBigInt64(at + HIT_AT.result, -28n, true);
  view.setUint32(at + HIT_AT.call, 1281, true);
  view.setUint8(at + HIT_AT.effect, 2);
  view.setUint8(at + HIT_AT.acted, 1);
  new Uint8Array(bytes).set([...'sh'].map((c) => c.charCodeAt(0)), at + HIT_AT.comm);
  expect(decodeHit(new RecordReader().use(bytes), at)).toEqual({
    timeNs: 123, ruleId: '9', cgroup: '9223372036854775809', n: 0, number: 0, result: -28, value: 0, heldNs: 0, pid: 0, tid: 0, nsPid: null, uid: 0, call: 1281, effect: 'signal', acted: true, dryRun: false, comm: 'sh', path: null,
  });
});
