/** The structures of bpf/chaos/, byte for byte: rules in, counters and hits out. test/chaos/engine/layout.test.ts compares them with BTF. */
import type { RecordReader } from '../../bpf/records.ts';
import { COMM_BYTES as COMM_MAX } from '../rule.ts';
import type { Limits } from '../decide.ts';
import type { Glob } from '../glob.ts';

/** Places for rules that are armed together (RULES_MAX). */
export const RULES_MAX = 8;
/** Bytes of a thread's name, with its NUL, and operations of a pattern. */
const COMM_BYTES = COMM_MAX + 1;
const GLOB_OPS = 128;
/** No fault lasts longer, milliseconds (ARMED_MAX_NS). */
export const ARMED_MAX_MS = 15 * 60 * 1000;

export const EFFECT = { error: 1, signal: 2, delay: 3 } as const;
export type EffectName = keyof typeof EFFECT;
const EFFECT_NAMES: Readonly<Record<number, EffectName>> = { 1: 'error', 2: 'signal', 3: 'delay' };

const DRY_RUN = 1n;
const YIELDS = 2n;
const NAME_ONLY = 4n;
const ANY = 2n ** 64n - 1n;
/** Words of struct rule, in order; name and path follow. */
export const RULE_WORDS = [
  'id', 'armed_ns', 'until_ns', 'effect', 'value', 'flags', 'skip', 'every', 'last', 'p32', 'key', 'max_hits', 'uid', 'fd', 'port', 'comm_bytes', 'path_ops',
] as const;
export const COMM_AT = RULE_WORDS.length * 8;
export const PATH_AT = COMM_AT + COMM_BYTES;
export const RULE_BYTES = PATH_AT + GLOB_OPS * 2;

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
  readonly limits: Limits;
  readonly uid: number | null;
  readonly fd: number | null;
  readonly port: number | null;
  readonly comm: string | null;
  readonly path: Glob | null;
}

function putComm(bytes: Uint8Array, comm: string | null): number {
  if (comm === null) return 0;
  const encoded = new TextEncoder().encode(comm);
  if (encoded.length === 0 || encoded.length >= COMM_BYTES) throw new RangeError(`the name of a thread must be 1 to ${COMM_BYTES - 1} bytes long`);
  bytes.set(encoded, COMM_AT);
  return encoded.length;
}

function putPath(view: DataView, path: Glob | null): number {
  if (path === null) return 0;
  const { operations } = path;
  if (operations.length === 0 || operations.length >= GLOB_OPS) throw new RangeError(`a path pattern must have 1 to ${GLOB_OPS - 1} parts`);
  operations.forEach((operation, i) => view.setUint16(PATH_AT + i * 2, operation, true));
  return operations.length;
}

/** struct rule. @throws RangeError when a text is too long */
export function encodeRule(rule: KernelRule): Uint8Array {
  const bytes = new Uint8Array(RULE_BYTES);
  const view = new DataView(bytes.buffer);
  const any = (value: number | null): bigint => (value === null ? ANY : BigInt(value));
  const flags = (rule.dryRun ? DRY_RUN : 0n) | (rule.yields ? YIELDS : 0n) | (rule.path?.nameOnly === true ? NAME_ONLY : 0n);
  const { skip, every, last, p32, key, maxHits } = rule.limits;
  const words: Record<(typeof RULE_WORDS)[number], bigint> = {
    id: rule.id, armed_ns: rule.armedNs, until_ns: rule.untilNs, effect: BigInt(EFFECT[rule.effect]), value: rule.value, flags, skip, every, last, p32, key, max_hits: maxHits,
    uid: any(rule.uid), fd: any(rule.fd), port: any(rule.port), comm_bytes: BigInt(putComm(bytes, rule.comm)), path_ops: BigInt(putPath(view, rule.path)),
  };
  RULE_WORDS.forEach((name, i) => view.setBigUint64(i * 8, words[name], true));
  return bytes;
}

/** An empty place: nothing is armed there. */
export const NO_RULE = new Uint8Array(RULE_BYTES);

/** Words of struct rule_state behind the rule's id. */
export const COUNTERS = ['matched', 'hits', 'acted', 'missed', 'unreadable', 'delayNs', 'throttled', 'lost'] as const;
export type Counters = Readonly<Record<(typeof COUNTERS)[number], number>>;
export const NO_COUNTERS: Counters = { matched: 0, hits: 0, acted: 0, missed: 0, unreadable: 0, delayNs: 0, throttled: 0, lost: 0 };

/** struct rule_state of a rule that has not seen a call. */
export function freshCounters(id: bigint): Uint8Array {
  const bytes = new Uint8Array((COUNTERS.length + 1) * 8);
  new DataView(bytes.buffer).setBigUint64(0, id, true);
  return bytes;
}

/** Counters of one place, from the words of its value. */
export function decodeCounters(bytes: Uint8Array): Counters {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Object.fromEntries(COUNTERS.map((name, i) => [name, Number(view.getBigInt64((i + 1) * 8, true))])) as Counters;
}

/** Numbers of a call's arguments, from 0, that predicates look at; two at the most of the first two kinds. */
export interface CallArguments {
  readonly path: readonly number[];
  readonly fd: readonly number[];
  readonly address: number | null;
}

export const NO_ARGUMENTS: CallArguments = { path: [], fd: [], address: null };

const NO_ARGUMENT = 0xff;
export const CALL_BYTES = 16;
/** Offsets of the numbers of arguments in struct call_rules. */
export const CALL_AT = { mask: 0, path: 4, fd: 6, address: 8 } as const;

/** struct call_rules. @param mask bit per place of a rule */
export function encodeCall(mask: number, { path, fd, address }: CallArguments): Uint8Array {
  const bytes = new Uint8Array(CALL_BYTES);
  new DataView(bytes.buffer).setUint32(CALL_AT.mask, mask, true);
  bytes.set([...[path[0], path[1], fd[0], fd[1]].map((argument) => argument ?? NO_ARGUMENT), address ?? NO_ARGUMENT], CALL_AT.path);
  return bytes;
}

/** One hit, or with a dry run one that would have been. */
export interface KernelHit {
  /** CLOCK_BOOTTIME, ns, when the call ended. */
  readonly timeNs: number;
  readonly ruleId: string;
  readonly cgroup: string;
  /** Number of the matching call, from 1, and of the hit, by the end of its call where it was really hit. */
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
export const HIT_AT = { time: 0, id: 8, cgroup: 16, n: 24, number: 32, result: 40, value: 48, held: 56, pid: 64, tid: 68, nsPid: 72, uid: 76, call: 80, effect: 84, acted: 85, dryRun: 86, comm: 88, path: 104 } as const;
export const HIT_BYTES = 168;

export function decodeHit(reader: RecordReader, at: number): KernelHit {
  return {
    timeNs: reader.u64(at + HIT_AT.time), ruleId: reader.id(at + HIT_AT.id), cgroup: reader.id(at + HIT_AT.cgroup), n: reader.u64(at + HIT_AT.n), number: reader.u64(at + HIT_AT.number),
    result: reader.i64(at + HIT_AT.result), value: reader.u64(at + HIT_AT.value), heldNs: reader.u64(at + HIT_AT.held),
    pid: reader.u32(at + HIT_AT.pid), tid: reader.u32(at + HIT_AT.tid), nsPid: reader.u32(at + HIT_AT.nsPid) || null, uid: reader.u32(at + HIT_AT.uid), call: reader.u32(at + HIT_AT.call),
    effect: EFFECT_NAMES[reader.u8(at + HIT_AT.effect)] ?? 'error', acted: reader.u8(at + HIT_AT.acted) === 1, dryRun: reader.u8(at + HIT_AT.dryRun) === 1,
    comm: reader.text(at + HIT_AT.comm, COMM_BYTES), path: reader.text(at + HIT_AT.path, 64) || null,
  };
}
