/**
 * What kbtop and its injector say to each other: JSON lines over a socket pair. Whatever comes in is checked here; what is
 * not understood is null, and the other side goes on.
 */
import { isArch } from '../../frame/arch.ts';
import type { SourceOptions } from '../../identity/options.ts';
import type { AuditReason, AuditSubject, AuditWho } from '../audit.ts';
import { ChaosError, type FaultStatus, type Injected, type Permits, type Plan } from '../door.ts';
import type { Hit } from '../hit.ts';
import type { Rule } from '../rule.ts';
import type { ChaosCapabilities } from '../select.ts';
import { draftOf, type RuleDraft, validateRule } from '../validate.ts';
import { type Fields, type Shape, hasShape, isCount, isFields, isText, isTextOrNull, isTexts } from './shape.ts';

/** Both sides are the same kbtop, unless its files were replaced meanwhile. */
export const PROTOCOL = 1;
/** The injector's end of the socket pair. */
export const DOOR_FD = 3;
/** How often kbtop says that it is alive, and how long its silence may last. Milliseconds. */
export const BEAT_MS = 500;
export const SILENCE_MS = 2000;

/** Who names containers, as SourceOptions; the host's root null: to be found. */
export interface InjectorSources extends Omit<SourceOptions, 'hostRoot' | 'debug'> {
  readonly hostRoot: string | null;
}

export interface InjectorSettings {
  /** Null: cgroup paths alone. */
  readonly sources: InjectorSources | null;
  readonly auditFile: string;
  /** Where injectors can be found, see registration.ts. */
  readonly runDirectory: string;
  readonly node: string;
  readonly debug: boolean;
}

export type Ask =
  | { readonly what: 'capabilities' }
  | { readonly what: 'plan'; readonly rule: Rule; readonly permits: Permits }
  /** `who`: who is to stand in the audit; null: whoever started the injector. */
  | { readonly what: 'arm'; readonly rule: Rule; readonly permits: Permits; readonly dryRun: boolean; readonly typed: string | null; readonly who: AuditWho | null }
  | { readonly what: 'disarm'; readonly fault: number; readonly reason: AuditReason }
  | { readonly what: 'stopAll'; readonly reason: AuditReason };

export type ToInjector =
  | { readonly t: 'hello'; readonly settings: InjectorSettings }
  | { readonly t: 'beat' }
  | { readonly t: 'ask'; readonly id: number; readonly ask: Ask }
  /** An ask that cannot be understood, but answered. */
  | { readonly t: 'bad'; readonly id: number; readonly problem: string };

/** What the audit's last line needs, should the injector not be able to write it. */
export interface AuditKey extends AuditSubject {
  /** ISO 8601 UTC. */
  readonly start: string;
}

export type ToKbtop =
  | { readonly t: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly t: 'error'; readonly id: number; readonly kind: ChaosError['kind']; readonly message: string }
  | { readonly t: 'fault'; readonly fault: FaultStatus; readonly audit: AuditKey | null }
  | { readonly t: 'hit'; readonly fault: number; readonly hit: Hit }
  | { readonly t: 'injected'; readonly injected: Injected }
  | { readonly t: 'debug'; readonly text: string }
  /** The injector ends, and why; everything is out of the kernel. */
  | { readonly t: 'bye'; readonly reason: string };

const REASONS: readonly AuditReason[] = ['duration', 'budget', 'stopped', 'panic-key', 'interrupted', 'target-gone', 'watchdog', 'error'];
const KINDS: readonly ChaosError['kind'][] = ['refused', 'impossible', 'notFound', 'failed'];
const oneOf = <T>(value: unknown, all: readonly T[]): T | null => all.find((one) => one === value) ?? null;

const DRAFT: Shape = {
  name: 'string', target: { pod: 'string', container: 'string', cgroup: 'string', containerId: 'string' }, syscalls: 'strings', error: 'string', signal: 'string', delay: 'number',
  where: { path: 'string', port: 'number', fd: 'number', comm: 'string', uid: 'number' }, probability: 'number', skip: 'number', every: 'number', last: 'number', maxHits: 'number',
  duration: 'number', seed: 'number', backend: 'string', kernel: { fault: 'string', function: 'string', argument: 'number', string: 'string', pid: 'number' },
};

/** A rule travels as its draft, and is checked like one that somebody wrote. */
function ruleOf(value: unknown): Rule | string {
  if (!hasShape(value, DRAFT)) return 'the rule is not understood';
  const rule = validateRule(value as RuleDraft);
  return rule.ok ? rule.value : rule.mistakes.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
}

const permitsOf = (value: unknown): Permits => ({ expert: isFields(value) && value['expert'] === true, allowSystem: isFields(value) && value['allowSystem'] === true });

function whoOf(value: unknown): AuditWho | null {
  if (!isFields(value)) return null;
  const { uid, sudoUser, tty, pid } = value;
  return isCount(uid) && isTextOrNull(sudoUser) && isTextOrNull(tty) && isCount(pid) ? { uid, sudoUser, tty, pid } : null;
}

function askOf(value: unknown): Ask | string {
  if (!isFields(value)) return 'the question is not understood';
  switch (value['what']) {
    case 'capabilities': return { what: 'capabilities' };
    case 'plan': {
      const rule = ruleOf(value['rule']);
      return typeof rule === 'string' ? rule : { what: 'plan', rule, permits: permitsOf(value['permits']) };
    }
    case 'arm': {
      const rule = ruleOf(value['rule']), { dryRun, typed } = value;
      if (typeof rule === 'string') return rule;
      if (typeof dryRun !== 'boolean' || !isTextOrNull(typed)) return 'whether it is a dry run and what was typed is not understood';
      const who = value['who'] == null ? null : whoOf(value['who']);
      if (who === null && value['who'] != null) return 'who arms it is not understood';
      return { what: 'arm', rule, permits: permitsOf(value['permits']), dryRun, typed, who };
    }
    case 'disarm': {
      const reason = oneOf(value['reason'], REASONS), { fault } = value;
      return reason === null || !isCount(fault) ? 'which fault is to end is not understood' : { what: 'disarm', fault, reason };
    }
    case 'stopAll': {
      const reason = oneOf(value['reason'], REASONS);
      return reason === null ? 'why all faults are to end is not understood' : { what: 'stopAll', reason };
    }
    default: return 'the question is not known';
  }
}

function sourcesOf(value: unknown): InjectorSources | null | undefined {
  if (value === null) return null;
  if (!isFields(value)) return undefined;
  const { hostRoot, runtimeEndpoint, kubeconfig, context, nodeName } = value;
  if (!isTextOrNull(hostRoot) || !isTextOrNull(runtimeEndpoint) || !isTextOrNull(kubeconfig) || !isTextOrNull(context) || !isText(nodeName)) return undefined;
  return { hostRoot, runtimeEndpoint, kubeconfig, context, nodeName };
}

function settingsOf(value: unknown): InjectorSettings | null {
  if (!isFields(value)) return null;
  const sources = sourcesOf(value['sources']), { auditFile, runDirectory, node, debug } = value;
  if (sources === undefined || !isText(auditFile) || !isText(runDirectory) || !isText(node) || typeof debug !== 'boolean') return null;
  return { sources, auditFile, runDirectory, node, debug };
}

/** Null: not understood. */
export function readToInjector(value: unknown): ToInjector | null {
  if (!isFields(value)) return null;
  switch (value['t']) {
    case 'beat': return { t: 'beat' };
    case 'hello': {
      const settings = value['protocol'] === PROTOCOL ? settingsOf(value['settings']) : null;
      return settings === null ? null : { t: 'hello', settings };
    }
    case 'ask': {
      const { id } = value;
      if (!isCount(id)) return null;
      const ask = askOf(value['ask']);
      return typeof ask === 'string' ? { t: 'bad', id, problem: ask } : { t: 'ask', id, ask };
    }
    default: return null;
  }
}

const plainRule = <T extends { readonly rule: Rule }>(value: T): Fields => ({ ...value, rule: draftOf(value.rule) });
const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

export function writeToInjector(message: Exclude<ToInjector, { t: 'bad' }>): string {
  if (message.t === 'hello') return line({ protocol: PROTOCOL, ...message });
  if (message.t === 'ask' && 'rule' in message.ask) return line({ ...message, ask: plainRule(message.ask) });
  return line(message);
}

export const writeToKbtop = (message: ToKbtop): string => line(message.t === 'fault' ? { ...message, fault: plainRule(message.fault) } : message);

const COUNTERS = ['id', 'armedAt', 'deadline', 'matched', 'hits', 'acted', 'missed', 'unreadable', 'throttled', 'lost'] as const;

function faultOf(value: unknown): FaultStatus | null {
  if (!isFields(value)) return null;
  const rule = ruleOf(value['rule']);
  const { auditId, text, targetName, cgroups, backends, dryRun, state, endedAt, endDetail } = value;
  const endReason = value['endReason'] === null ? null : oneOf(value['endReason'], REASONS);
  if (typeof rule === 'string' || !COUNTERS.every((key) => isCount(value[key])) || !isText(auditId) || !isText(text) || !isText(targetName) || !isTexts(cgroups) || !isTexts(backends)) return null;
  if (typeof dryRun !== 'boolean' || (state !== 'armed' && state !== 'ended') || (endedAt !== null && !isCount(endedAt)) || !isTextOrNull(endDetail)) return null;
  const counters = Object.fromEntries(COUNTERS.map((key) => [key, value[key]])) as Pick<FaultStatus, (typeof COUNTERS)[number]>;
  return { ...counters, auditId, rule, text, targetName, cgroups, backends, dryRun, state, endedAt, endReason, endDetail };
}

function auditKeyOf(value: unknown): AuditKey | null {
  if (!isFields(value)) return null;
  const { id, node, kernel, start } = value, who = whoOf(value['who']);
  return isText(id) && isText(node) && isText(kernel) && isText(start) && who !== null ? { id, node, kernel, start, who } : null;
}

const HIT_TEXTS = ['cgroup', 'abi', 'syscall', 'effect', 'comm', 'backend'];
const HIT_COUNTS = ['time', 'n', 'number', 'nr', 'heldUs', 'pid', 'tid', 'uid'];

const isHit = (value: unknown): value is Hit => isFields(value) && HIT_TEXTS.every((key) => isText(value[key])) && HIT_COUNTS.every((key) => isCount(value[key])) && typeof value['result'] === 'number'
  && isTextOrNull(value['given']) && isTextOrNull(value['path']) && (value['nsPid'] === null || isCount(value['nsPid'])) && typeof value['acted'] === 'boolean' && typeof value['dryRun'] === 'boolean';

const isInjected = (value: unknown): value is Injected => Array.isArray(value) && value.every((row: unknown) => Array.isArray(row) && isText(row[0]) && isText(row[1]) && isCount(row[2]) && isCount(row[3]));

/** Null: not understood. */
export function readToKbtop(value: unknown): ToKbtop | null {
  if (!isFields(value)) return null;
  const { id } = value;
  switch (value['t']) {
    case 'answer': return isCount(id) ? { t: 'answer', id, value: value['value'] } : null;
    case 'error': {
      const kind = oneOf(value['kind'], KINDS), { message } = value;
      return isCount(id) && kind !== null && isText(message) ? { t: 'error', id, kind, message } : null;
    }
    case 'fault': {
      const fault = faultOf(value['fault']);
      return fault === null ? null : { t: 'fault', fault, audit: auditKeyOf(value['audit']) };
    }
    case 'hit': {
      const { fault, hit } = value;
      return isCount(fault) && isHit(hit) ? { t: 'hit', fault, hit } : null;
    }
    case 'injected': return isInjected(value['injected']) ? { t: 'injected', injected: value['injected'] } : null;
    case 'debug': return isText(value['text']) ? { t: 'debug', text: value['text'] } : null;
    case 'bye': return isText(value['reason']) ? { t: 'bye', reason: value['reason'] } : null;
    default: return null;
  }
}

/** Sets do not travel as such. */
export function plainCapabilities(capabilities: ChaosCapabilities): Fields {
  const list = (set: ReadonlySet<string> | null): string[] | null => (set === null ? null : [...set]);
  return { ...capabilities, injectable: list(capabilities.injectable), securityFunctions: list(capabilities.securityFunctions), lsmHooks: list(capabilities.lsmHooks) };
}

export function readCapabilities(value: unknown): ChaosCapabilities | null {
  if (!isFields(value) || !isArch(value['arch']) || !isFields(value['backends']) || !isCount(value['maxDelayUs'])) return null;
  const set = (list: unknown): ReadonlySet<string> | null => (isTexts(list) ? new Set(list) : null);
  return { ...(value as unknown as ChaosCapabilities), injectable: set(value['injectable']), securityFunctions: set(value['securityFunctions']), lsmHooks: set(value['lsmHooks']) };
}

export const plainPlan = (plan: Plan): Fields => plainRule(plan);

export function readPlan(value: unknown): Plan | null {
  if (!isFields(value)) return null;
  const rule = ruleOf(value['rule']);
  const lists = ['targets', 'selections', 'refusals', 'warnings'].every((key) => Array.isArray(value[key]));
  const { confirmation } = value;
  if (typeof rule === 'string' || !lists || !isText(value['text']) || !(confirmation === null || (isFields(confirmation) && isText(confirmation['text'])))) return null;
  return { ...(value as unknown as Plan), rule };
}

export const readFault = faultOf;
export const plainFault = (fault: FaultStatus): Fields => plainRule(fault);
