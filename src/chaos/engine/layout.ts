/** The structures of bpf/chaos/, byte for byte: rules in, counters and hits out. test/chaos/engine/layout.test.ts compares them with BTF. */
import type { RecordReader } from '../../bpf/records.ts';

/** Places for rules that are armed together (RULES_MAX). */
export const RULES_MAX = 8;
/** Longest name of a thread, and longest glob, with their NUL. */
export const COMM_BYTES = 16;
export const GLOB_BYTES = 128;
/** No fault lasts longer, milliseconds (ARMED_MAX_NS). */
export const ARMED_MAX_MS = 15 * 60 * 1000;

export const EFFECT = { error: 1, signal: 2, delay: 3 } as const;
export type EffectName = keyof typeof EFFECT;
const EFFECT_NAMES: Readonly<Record<number, EffectName>> = { 1: 'error', 2: 'signal', 3: 'delay' };

const DRY_RUN = 1n;
const YIELDS = 2n;
const ANY = 2n ** 64n - 1n;
const RULE_WORDS = 18;
export const RULE_BYTES = RULE_WORDS * 8 + COMM_BYTES + GLOB_BYTES;

/** A rule as the kernel has it: everything resolved. Null predicates fit anything. */
export interface KernelRule {
  /** Not 0. */
  readonly id: bigint;
  /** CLOCK_BOOTTIME, ns. */
  readonly armedNs: bigint;
  readonly untilNs: bigint;
  readonly effect: EffectName;
  /** errno, signal number, or nanoseconds. */
  readonly value: bigint;
  readonly dryRun: boolean;
  /** A delay in a hook that may sleep. */
  readonly yields: boolean;
  /** Which hook acts; 0: the call's entry. */
  readonly hook: number;
  readonly skip: number;
  readonly every: number;
  /** 0: no last call. */
  readonly last: number;
  /** Probability in 2^-32, up to 2^32. */
  readonly p32: bigint;
  readonly seed: bigint;
  readonly maxHits: number;
  readonly uid: number | null;
  readonly fd: number | null;
  readonly port: number | null;
  readonly comm: string | null;
  readonly path: string | null;
}

function putText(bytes: Uint8Array, at: number, room: number, text: string | null, what: string): bigint {
  if (text === null) return 0n;
  const encoded = new TextEncoder().encode(text);
  if (encoded.length === 0 || encoded.length >= room) throw new RangeError(`${what} must be 1 to ${room - 1} bytes long`);
  bytes.set(encoded, at);
  return BigInt(encoded.length);
}

/** struct rule. @throws RangeError when a text is too long */
export function encodeRule(rule: KernelRule): Uint8Array {
  const bytes = new Uint8Array(RULE_BYTES);
  const commBytes = putText(bytes, RULE_WORDS * 8, COMM_BYTES, rule.comm, 'the name of a thread');
  const pathBytes = putText(bytes, RULE_WORDS * 8 + COMM_BYTES, GLOB_BYTES, rule.path, 'a path glob');
  const any = (value: number | null): bigint => (value === null ? ANY : BigInt(value));
  const words = [
    rule.id, rule.armedNs, rule.untilNs, BigInt(EFFECT[rule.effect]), rule.value, (rule.dryRun ? DRY_RUN : 0n) | (rule.yields ? YIELDS : 0n), BigInt(rule.hook),
    BigInt(rule.skip), BigInt(rule.every), BigInt(rule.last), rule.p32, BigInt.asUintN(64, rule.seed), BigInt(rule.maxHits), any(rule.uid), any(rule.fd), any(rule.port),
    commBytes, pathBytes,
  ];
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setBigUint64(i * 8, word, true));
  return bytes;
}

/** An empty place: nothing is armed there. */
export const NO_RULE = new Uint8Array(RULE_BYTES);

/** Words of struct rule_state. */
export const COUNTERS = ['matched', 'hits', 'acted', 'missed', 'unreadable', 'delayNs', 'throttled', 'lost'] as const;
export type Counters = Readonly<Record<(typeof COUNTERS)[number], number>>;
export const NO_COUNTERS: Counters = { matched: 0, hits: 0, acted: 0, missed: 0, unreadable: 0, delayNs: 0, throttled: 0, lost: 0 };

/** Counters of one place, from the words of its value. */
export function decodeCounters(bytes: Uint8Array): Counters {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Object.fromEntries(COUNTERS.map((name, i) => [name, Number(view.getBigInt64(i * 8, true))])) as Counters;
}

/** What a call's arguments are: numbers from 0, null where it has none of the kind. */
export interface CallArguments {
  readonly path: number | null;
  readonly fd: number | null;
  readonly address: number | null;
}

const NO_ARGUMENT = 0xff;

/** struct call_rules. @param mask bit per place of a rule */
export function encodeCall(mask: number, { path, fd, address }: CallArguments): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, mask, true);
  bytes[4] = path ?? NO_ARGUMENT;
  bytes[5] = fd ?? NO_ARGUMENT;
  bytes[6] = address ?? NO_ARGUMENT;
  return bytes;
}

/** One hit, or with a dry run one that would have been. */
export interface KernelHit {
  /** CLOCK_BOOTTIME, ns, when the call ended. */
  readonly timeNs: number;
  readonly ruleId: string;
  readonly cgroup: string;
  /** Number of the matching call, and of the hit, from 1. */
  readonly n: number;
  readonly number: number;
  /** What the program was given: a result, or -errno. */
  readonly result: number;
  readonly value: number;
  /** From entry to exit, ns. */
  readonly heldNs: number;
  readonly pid: number;
  readonly tid: number;
  readonly nsPid: number | null;
  readonly uid: number;
  /** ABI and number, as bpf/syscall.h packs them. */
  readonly call: number;
  readonly effect: EffectName;
  readonly acted: boolean;
  readonly dryRun: boolean;
  readonly comm: string;
  /** Start of the call's path argument as the program passed it; null when it has none. */
  readonly path: string | null;
}

/** Offsets in struct hit. */
const AT = { time: 0, id: 8, cgroup: 16, n: 24, number: 32, result: 40, value: 48, held: 56, pid: 64, tid: 68, nsPid: 72, uid: 76, call: 80, effect: 84, acted: 85, dryRun: 86, comm: 88, path: 104 } as const;
export const HIT_BYTES = 168;

export function decodeHit(reader: RecordReader, at: number): KernelHit {
  return {
    timeNs: reader.u64(at + AT.time), ruleId: reader.id(at + AT.id), cgroup: reader.id(at + AT.cgroup), n: reader.u64(at + AT.n), number: reader.u64(at + AT.number),
    result: reader.i64(at + AT.result), value: reader.u64(at + AT.value), heldNs: reader.u64(at + AT.held),
    pid: reader.u32(at + AT.pid), tid: reader.u32(at + AT.tid), nsPid: reader.u32(at + AT.nsPid) || null, uid: reader.u32(at + AT.uid), call: reader.u32(at + AT.call),
    effect: EFFECT_NAMES[reader.u8(at + AT.effect)] ?? 'error', acted: reader.u8(at + AT.acted) === 1, dryRun: reader.u8(at + AT.dryRun) === 1,
    comm: reader.text(at + AT.comm, COMM_BYTES), path: reader.text(at + AT.path, 64) || null,
  };
}
