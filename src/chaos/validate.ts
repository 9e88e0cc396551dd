/** Makes a Rule of what somebody wrote, or tells everything that is wrong with it at once. */
import { formatDuration } from '../frame/duration.ts';
import { oneOf } from '../frame/suggest.ts';
import { BACKENDS, BACKEND_NAMES, type EffectKind, isBackendName } from './backends.ts';
import { ADDRESS_ARGUMENTS, FD_ARGUMENTS, PATH_ARGUMENTS } from './call-arguments.ts';
import { canonicalErrno } from './errnos.ts';
import { callsOfItem, canonicalItem } from './families.ts';
import { parseGlob } from './glob.ts';
import { bad, good, type Mistake, type Result } from './result.ts';
import {
  ANYWHERE, COMM_BYTES, DEFAULT_DURATION_MS, DEFAULT_MAX_HITS, KERNEL_FAULTS, KERNEL_FAULT_ERRORS, MAX_COUNT, MAX_DELAY_US, MAX_DURATION_MS, MIN_DURATION_MS, MIN_PROBABILITY,
  type Effect, type KernelFault, type KernelFaultKind, type Rule, type RuleTarget, type Where,
} from './rule.ts';
import { SIGNAL_NAMES, signalName } from './signals.ts';

/** What was given of a rule, as text and numbers; paths of mistakes are these keys. */
export interface RuleDraft {
  readonly name?: string;
  readonly target?: { readonly pod?: string; readonly container?: string; readonly cgroup?: string; readonly containerId?: string };
  readonly syscalls?: readonly string[];
  /** Exactly one of these three. */
  readonly error?: string;
  readonly signal?: string;
  /** Microseconds. */
  readonly delay?: number;
  readonly where?: { readonly path?: string; readonly port?: number; readonly fd?: number; readonly comm?: string; readonly uid?: number };
  readonly probability?: number;
  readonly skip?: number;
  readonly every?: number;
  readonly last?: number;
  readonly maxHits?: number;
  /** Milliseconds. */
  readonly duration?: number;
  readonly seed?: number;
  readonly backend?: string;
  readonly kernel?: { readonly fault?: string; readonly function?: string; readonly argument?: number; readonly string?: string; readonly pid?: number };
}

const MAX_ITEMS = 64;
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const NAMESPACE = NAME;
const POD = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const CONTAINER_ID = /^(?:[a-z0-9+.-]+:\/\/)?([0-9a-f]{12,64})$/i;
const KERNEL_SYMBOL = /^[A-Za-z_][A-Za-z0-9_.]{0,126}$/;
/** Arguments that are passed in registers, where a program can read them. */
const MAX_ARGUMENT = 5;

class Reading {
  readonly mistakes: Mistake[] = [];

  wrong(path: string, message: string): void {
    this.mistakes.push({ path, message });
  }

  /** What `read` gives, or null and a mistake when it throws a RangeError. */
  attempt<T>(path: string, read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.wrong(path, error.message);
      return null;
    }
  }

  /** A whole number within limits, `without` when it is not given or wrong. */
  count<T extends number | null>(path: string, value: number | undefined, [min, max]: readonly [number, number], without: T): number | T {
    if (value === undefined) return without;
    const name = path.slice(path.lastIndexOf('.') + 1);
    if (!Number.isInteger(value)) this.wrong(path, `${name} must be a whole number`);
    else if (value < min || value > max) this.wrong(path, `${name} must be ${min} to ${max}, not ${value}`);
    else return value;
    return without;
  }
}

function podOf(text: string, container: string | undefined, reading: Reading): RuleTarget | null {
  const [namespace = '', pod = '', ...more] = text.split('/');
  if (pod === '' || more.length > 0) reading.wrong('target.pod', `"${text}" is not NAMESPACE/NAME`);
  else if (!NAMESPACE.test(namespace)) reading.wrong('target.pod', `"${namespace}" cannot be a namespace: up to 63 lower-case letters, digits and hyphens`);
  else if (pod.length > 253 || !POD.test(pod)) reading.wrong('target.pod', `"${pod}" cannot be a pod's name: lower-case letters, digits, hyphens and dots`);
  else if (container !== undefined && !NAME.test(container)) reading.wrong('target.container', `"${container}" cannot be a container's name: up to 63 lower-case letters, digits and hyphens`);
  else return { kind: 'pod', namespace, pod, container: container ?? null };
  return null;
}

function cgroupOf(path: string, reading: Reading): RuleTarget | null {
  const parts = path.split('/').filter((part) => part !== '');
  if (!path.startsWith('/')) reading.wrong('target.cgroup', `"${path}" must begin with /: the path below the mount of cgroup v2`);
  else if (parts.some((part) => part === '.' || part === '..') || path.includes('\0')) reading.wrong('target.cgroup', `"${path}" must be a plain path, without . and ..`);
  else if (path.length > 4095) reading.wrong('target.cgroup', 'the path is longer than 4095 characters');
  else return { kind: 'cgroup', path: `/${parts.join('/')}` };
  return null;
}

function targetOf(given: RuleDraft['target'], reading: Reading): RuleTarget | null {
  if (given === undefined) return null;
  const { pod, container, cgroup, containerId } = given;
  const ways = [pod, cgroup, containerId].filter((way) => way !== undefined).length;
  if (ways > 1) reading.wrong('target', 'pod, cgroup and containerId exclude each other: give one');
  else if (container !== undefined && pod === undefined) reading.wrong('target.container', 'container is a name within a pod: give pod, too, or containerId alone');
  else if (pod !== undefined) return podOf(pod, container, reading);
  else if (cgroup !== undefined) return cgroupOf(cgroup, reading);
  else if (containerId === undefined) reading.wrong('target', 'target lacks pod, cgroup or containerId');
  else {
    const id = CONTAINER_ID.exec(containerId)?.[1];
    if (id !== undefined) return { kind: 'container', id: id.toLowerCase() };
    reading.wrong('target.containerId', `"${containerId}" is not a container id: 12 to 64 hexadecimal digits`);
  }
  return null;
}

function syscallsOf(given: readonly string[] | undefined, reading: Reading): string[] {
  if (given === undefined || given.length === 0) reading.wrong('syscalls', 'syscalls lacks a system call such as openat or a family such as %open');
  else if (given.length > MAX_ITEMS) reading.wrong('syscalls', `${given.length} system calls are too many: ${MAX_ITEMS} at most; a family such as %open counts once`);
  else {
    const items = new Set(given.map((text, i) => reading.attempt(`syscalls[${i}]`, () => canonicalItem(text))).filter((item) => item !== null));
    const groups = [...items].filter((item) => item.startsWith('%'));
    const covered = new Set(groups.flatMap((group) => callsOfItem(group) ?? []));
    return [...items].filter((item) => !covered.has(item)).sort();
  }
  return [];
}

function effectOf({ error, signal, delay, kernel }: RuleDraft, reading: Reading): Effect | null {
  const given = [error, signal, delay].filter((one) => one !== undefined).length;
  const implied = KERNEL_FAULT_ERRORS[kernel?.fault as KernelFaultKind];
  if (given > 1) reading.wrong('', 'error, signal and delay exclude each other: one effect per rule; a second rule can have the other');
  else if (error !== undefined) {
    const errno = reading.attempt('error', () => canonicalErrno(error));
    return errno === null ? null : { kind: 'error', errno };
  } else if (signal !== undefined) {
    const name = signalName(signal);
    if (name !== null) return { kind: 'signal', signal: name };
    reading.wrong('signal', `there is no signal "${signal}"${oneOf(signal, SIGNAL_NAMES, 'signals')}`);
  } else if (delay !== undefined) {
    if (!Number.isInteger(delay) || delay < 1) reading.wrong('delay', 'delay must be at least 1us');
    else if (delay > MAX_DELAY_US) reading.wrong('delay', `delay must be at most ${MAX_DELAY_US / 1_000_000}s: a longer one stalls a CPU until the kernel complains`);
    else return { kind: 'delay', us: delay };
  } else if (kernel === undefined) {
    reading.wrong('', 'the rule lacks an effect: error, signal or delay');
  } else if (implied !== undefined) {
    return { kind: 'error', errno: implied };
  }
  return null;
}

/** Predicates on arguments need, of every item, a call that has such an argument. */
function needsArgument(reading: Reading, path: string, what: string, syscalls: readonly string[], having: ReadonlyMap<string, unknown>): void {
  const without = syscalls.filter((item) => !(callsOfItem(item) ?? []).some((call) => having.has(call)));
  if (without.length > 0) reading.wrong(path, `${without.join(', ')} ${without.length === 1 ? 'has' : 'have'} no ${what} to look at`);
}

function whereOf(given: RuleDraft['where'], syscalls: readonly string[], reading: Reading): Where {
  if (given === undefined) return ANYWHERE;
  const { path, comm } = given;
  if (path !== undefined && reading.attempt('where.path', () => parseGlob(path)) !== null) needsArgument(reading, 'where.path', 'path', syscalls, PATH_ARGUMENTS);
  if (comm !== undefined) {
    const bytes = new TextEncoder().encode(comm).length;
    if (bytes === 0 || comm.includes('\0')) reading.wrong('where.comm', 'comm must be the name of a thread');
    else if (bytes > COMM_BYTES) reading.wrong('where.comm', `"${comm}" is ${bytes} bytes long, but the kernel keeps ${COMM_BYTES} of a thread's name: "${comm.slice(0, COMM_BYTES)}"?`);
  }
  const port = reading.count('where.port', given.port, [0, 65535], null);
  if (port !== null) needsArgument(reading, 'where.port', 'address', syscalls, ADDRESS_ARGUMENTS);
  const fd = reading.count('where.fd', given.fd, [0, 2 ** 31 - 1], null);
  if (fd !== null) needsArgument(reading, 'where.fd', 'descriptor', syscalls, FD_ARGUMENTS);
  return { path: path ?? null, port, fd, comm: comm ?? null, uid: reading.count('where.uid', given.uid, [0, MAX_COUNT - 1], null) };
}

function kernelOf(given: RuleDraft['kernel'], effect: Effect | null, reading: Reading): KernelFault | null {
  if (given === undefined) return null;
  const { fault = '', argument, string, pid } = given;
  const kind = KERNEL_FAULTS.find((known) => known === fault);
  if (kind === undefined) reading.wrong(given.fault === undefined ? 'kernel' : 'kernel.fault', given.fault === undefined ? `kernel lacks fault: ${KERNEL_FAULTS.join(', ')}` : `there is no kernel fault "${fault}"${oneOf(fault, KERNEL_FAULTS, 'kernel faults')}`);
  else if (effect !== null && (effect.kind !== 'error' || effect.errno !== KERNEL_FAULT_ERRORS[kind])) reading.wrong(effect.kind, `a ${kind} fault gives ${KERNEL_FAULT_ERRORS[kind]} and nothing else`);
  if (given.function === undefined) reading.wrong('kernel', 'kernel lacks function: the kernel function that must be on the call chain');
  else if (!KERNEL_SYMBOL.test(given.function)) reading.wrong('kernel.function', `"${given.function}" is not the name of a kernel function`);
  const number = reading.count('kernel.argument', argument, [1, MAX_ARGUMENT], null);
  const process = reading.count('kernel.pid', pid, [1, 2 ** 22], null);
  if (string !== undefined && pid !== undefined) reading.wrong('kernel', 'string and pid exclude each other: give one');
  else if (argument !== undefined && string === undefined) reading.wrong('kernel.argument', 'argument needs string: what it must be equal to');
  else if (string !== undefined && argument === undefined) reading.wrong('kernel.string', 'string needs argument: the number of the function\'s argument, 1 is the first');
  else if (string !== undefined && (string === '' || string.includes('\0') || new TextEncoder().encode(string).length > 63)) reading.wrong('kernel.string', 'string must be 1 to 63 bytes long');
  if (kind === undefined || given.function === undefined) return null;
  const when = string !== undefined && number !== null ? { kind: 'string' as const, argument: number, equals: string } : process === null ? null : { kind: 'pid' as const, pid: process };
  return { fault: kind, function: given.function, when };
}

function backendOf(name: string | undefined, effect: Effect | null, kernel: RuleDraft['kernel'], reading: Reading): Rule['backend'] {
  if (name === undefined) return null;
  if (!isBackendName(name)) {
    reading.wrong('backend', `there is no backend "${name}"${oneOf(name, BACKEND_NAMES, 'backends')}`);
    return null;
  }
  const can: EffectKind | undefined = BACKENDS.find((backend) => backend.name === name)?.effect;
  if (effect !== null && can !== effect.kind) reading.wrong('backend', `backend ${name} gives ${can === 'error' ? 'errors' : `${can}s`} only`);
  else if (kernel !== undefined && name !== 'fmod_ret' && name !== 'kprobe') reading.wrong('backend', 'kernel faults are made by backend fmod_ret or kprobe');
  return name;
}

function probabilityOf(value: number | undefined, reading: Reading): number {
  if (value === undefined) return 1;
  if (value >= MIN_PROBABILITY && value <= 1) return value;
  reading.wrong('probability', value === 0 ? 'probability 0 would never hit' : `probability must be ${MIN_PROBABILITY.toFixed(6)} to 1, not ${value}`);
  return 1;
}

function durationOf(value: number | undefined, reading: Reading): number {
  if (value === undefined) return DEFAULT_DURATION_MS;
  if (!Number.isInteger(value)) reading.wrong('duration', 'duration must be whole milliseconds');
  else if (value < MIN_DURATION_MS || value > MAX_DURATION_MS) reading.wrong('duration', `duration must be ${formatDuration(MIN_DURATION_MS)} to ${formatDuration(MAX_DURATION_MS)}, not ${formatDuration(value)}`);
  return value;
}

/** A right rule in its canonical form, or all mistakes, in the order of the draft's keys. */
export function validateRule(draft: RuleDraft): Result<Rule> {
  const reading = new Reading();
  const { name } = draft;
  if (name !== undefined && !NAME.test(name)) reading.wrong('name', `"${name}" cannot be a rule's name: up to 63 lower-case letters, digits and hyphens`);
  const target = targetOf(draft.target, reading);
  const syscalls = syscallsOf(draft.syscalls, reading);
  const effect = effectOf(draft, reading);
  const where = whereOf(draft.where, syscalls, reading);
  const probability = probabilityOf(draft.probability, reading);
  const skip = reading.count('skip', draft.skip, [0, MAX_COUNT], 0);
  const every = reading.count('every', draft.every, [1, MAX_COUNT], 1);
  const last = reading.count('last', draft.last, [1, MAX_COUNT], null);
  if (last !== null && last <= skip) reading.wrong('last', `last ${last} is among the ${skip} that are skipped: nothing would be hit`);
  const maxHits = reading.count('maxHits', draft.maxHits, [1, MAX_COUNT], DEFAULT_MAX_HITS);
  const durationMs = durationOf(draft.duration, reading);
  const seed = reading.count('seed', draft.seed, [0, Number.MAX_SAFE_INTEGER], 0);
  const backend = backendOf(draft.backend, effect, draft.kernel, reading);
  const kernel = kernelOf(draft.kernel, effect, reading);
  if (reading.mistakes.length > 0 || effect === null) return bad(reading.mistakes);
  return good({ name: name ?? null, target, syscalls, effect, where, probability, skip, every, last, maxHits, durationMs, seed, backend, kernel });
}

/** The draft that validateRule() makes this rule of: defaults are left out. */
export function draftOf(rule: Rule): RuleDraft {
  const { target, effect, kernel, where } = rule;
  const defined = <T extends object>(fields: T): T => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as T;
  const unless = <T>(value: T, without: T): T | undefined => (value === without ? undefined : value);
  const conditions = defined(where) as RuleDraft['where'];
  return defined<RuleDraft>({
    name: rule.name ?? undefined,
    target: target === null ? undefined
      : target.kind === 'pod' ? defined({ pod: `${target.namespace}/${target.pod}`, container: target.container ?? undefined })
      : target.kind === 'cgroup' ? { cgroup: target.path } : { containerId: target.id },
    syscalls: rule.syscalls,
    error: effect.kind === 'error' && kernel === null ? effect.errno : undefined,
    signal: effect.kind === 'signal' ? effect.signal : undefined,
    delay: effect.kind === 'delay' ? effect.us : undefined,
    where: Object.keys(conditions ?? {}).length === 0 ? undefined : conditions,
    probability: unless(rule.probability, 1), skip: unless(rule.skip, 0), every: unless(rule.every, 1), last: rule.last ?? undefined,
    maxHits: unless(rule.maxHits, DEFAULT_MAX_HITS), duration: unless(rule.durationMs, DEFAULT_DURATION_MS), seed: unless(rule.seed, 0),
    backend: rule.backend ?? undefined,
    kernel: kernel === null ? undefined : defined({
      fault: kernel.fault, function: kernel.function,
      argument: kernel.when?.kind === 'string' ? kernel.when.argument : undefined, string: kernel.when?.kind === 'string' ? kernel.when.equals : undefined,
      pid: kernel.when?.kind === 'pid' ? kernel.when.pid : undefined,
    }),
  });
}
