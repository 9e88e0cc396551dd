/** The rules that the command line asks for: from flags, strace's grammar or a scenario file. Everything that is wrong is said at once. */
import { readFileSync, statSync } from 'node:fs';
import { grammarError, readInject } from '../../chaos/grammar.ts';
import type { Permits } from '../../chaos/door.ts';
import type { Mistake } from '../../chaos/result.ts';
import type { Rule } from '../../chaos/rule.ts';
import { parseScenario, scenarioError } from '../../chaos/scenario.ts';
import { draftOf, type RuleDraft, validateRule } from '../../chaos/validate.ts';
import { parsePodRef } from '../../frame/pod-ref.ts';
import { EXIT, KbtopError, usageError } from '../errors.ts';
import type { RuleFlags } from './flags.ts';

export interface Wanted {
  /** All rules, or the first that can be done. */
  readonly use: 'all' | 'first';
  readonly rules: readonly Rule[];
}

export const permitsOf = ({ expert = false, allowSystem = false }: RuleFlags): Permits => ({ expert, allowSystem });

const NO_TARGET = 'whom is it for? Give --pod NAMESPACE/NAME (with -c CONTAINER for one container), --cgroup PATH or --container-id ID';
/** Larger files are no scenarios; parseScenario() says so. */
const MAX_BYTES = 1_048_576;

function podOf({ pod = [], namespace = [] }: RuleFlags): string | undefined {
  const [text] = pod;
  if (pod.length > 1) throw usageError('--pod is given several times, but a fault has one target: run kbtop chaos run for each');
  if (text === undefined) {
    if (namespace.length > 0) throw usageError(`-n alone is too wide for a fault: ${NO_TARGET}`);
    return undefined;
  }
  const { namespace: within, kind, name } = parsePodRef(text);
  if (kind !== null && kind !== 'Pod') throw usageError(`--pod "${text}" means several pods, but a fault has one target: name the pod; kbtop snapshot --pane containers --pod ${text} lists them`);
  const space = within ?? namespace[0];
  if (space === undefined) throw usageError(`--pod "${text}" lacks its namespace: --pod NAMESPACE/${name}`);
  return `${space}/${name}`;
}

function targetOf(flags: RuleFlags): RuleDraft['target'] {
  const { container = [], selector = [], allNamespaces = false, cgroup, containerId } = flags;
  if (selector.length > 0 || allNamespaces) throw usageError(`-l and -A are too wide for a fault: ${NO_TARGET}`);
  if (container.length > 1) throw usageError('-c is given several times, but a fault has one target: leave it out to hit all containers of the pod');
  const pod = podOf(flags);
  const [name] = container;
  if (pod === undefined && cgroup === undefined && containerId === undefined && name === undefined) return undefined;
  return { ...(pod !== undefined && { pod }), ...(name !== undefined && { container: name }), ...(cgroup !== undefined && { cgroup }), ...(containerId !== undefined && { containerId }) };
}

/** Flags by the path of what they say in a draft. */
const FLAGS: Readonly<Record<string, string>> = {
  'target': '', 'target.pod': '--pod', 'target.container': '-c', 'target.cgroup': '--cgroup', 'target.containerId': '--container-id', 'syscalls': '--syscall', 'error': '--error', 'signal': '--signal', 'delay': '--delay',
  'where.path': '--path', 'where.port': '--port', 'where.fd': '--fd', 'where.comm': '--comm', 'where.uid': '--uid', 'probability': '--probability', 'skip': '--skip', 'every': '--every', 'last': '--last',
  'maxHits': '--max-hits', 'duration': '--for', 'seed': '--seed', 'backend': '--backend',
};

function mistakesText(mistakes: readonly Mistake[]): string {
  return mistakes.map(({ path, message }) => {
    const flag = FLAGS[path.replace(/\[\d+\]$/, '')] ?? '';
    const text = path === '' && message.startsWith('the rule lacks an effect') ? 'what is to happen? Give --error ERRNO, --delay TIME or --signal NAME' : path === 'syscalls' && message.startsWith('syscalls lacks') ? 'which calls? Give --syscall NAME, such as openat or %open' : message;
    return flag === '' || text.endsWith('such as openat or %open') ? text : `${flag}: ${text}`;
  }).join('; ');
}

function whereOf({ path, port, fd, comm, uid }: RuleFlags): RuleDraft['where'] {
  const where = { ...(path !== undefined && { path }), ...(port !== undefined && { port }), ...(fd !== undefined && { fd }), ...(comm !== undefined && { comm }), ...(uid !== undefined && { uid }) };
  return Object.keys(where).length === 0 ? undefined : where;
}

/** What goes with a rule of strace's grammar, too. */
function commonDraft(flags: RuleFlags): RuleDraft {
  const { probability, maxHits, for: duration, seed, backend } = flags;
  const where = whereOf(flags);
  return {
    ...(where !== undefined && { where }), ...(probability !== undefined && { probability }), ...(maxHits !== undefined && { maxHits }), ...(duration !== undefined && { duration: Math.round(duration) }),
    ...(seed !== undefined && { seed }), ...(backend !== undefined && { backend }),
  };
}

function effectDraft({ syscall, error, signal, delay, skip, every, last }: RuleFlags): RuleDraft {
  return {
    ...(syscall !== undefined && { syscalls: syscall.flatMap((text) => text.split(',')).map((name) => name.trim()) }), ...(error !== undefined && { error }), ...(signal !== undefined && { signal }),
    ...(delay !== undefined && { delay }), ...(skip !== undefined && { skip }), ...(every !== undefined && { every }), ...(last !== undefined && { last }),
  };
}

function checked(draft: RuleDraft, prefix = ''): Rule {
  const rule = validateRule(draft);
  if (!rule.ok) throw usageError(`${prefix}${mistakesText(rule.mistakes)}`);
  if (rule.value.target === null) throw usageError(NO_TARGET);
  return rule.value;
}

function injected(text: string, flags: RuleFlags): Rule {
  const draft = readInject(text);
  if (!draft.ok) throw usageError(`--inject "${text}" at ${grammarError(draft.mistakes)}`);
  const target = targetOf(flags);
  return checked({ ...draft.value, ...commonDraft(flags), ...(target !== undefined && { target }) }, `--inject "${text}": `);
}

function readScenarioFile(file: string): string {
  try {
    if (statSync(file).size > MAX_BYTES) throw new Error('the file is too large');
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new KbtopError(EXIT.usage, `cannot read the scenario ${file}: ${code === 'ENOENT' ? 'there is no such file' : message}`, { cause: error });
  }
}

async function fromScenario(file: string, flags: RuleFlags): Promise<Wanted> {
  const scenario = await parseScenario(readScenarioFile(file));
  if (!scenario.ok) throw usageError(scenarioError(file, scenario.mistakes));
  const { use, rules } = scenario.value;
  const target = targetOf(flags);
  if (target !== undefined && rules.every((rule) => rule.target !== null)) throw usageError(`${file} says for each of its rules whom it is for: leave the target out`);
  return { use, rules: rules.map((rule) => (rule.target === null ? checked({ ...draftOf(rule), ...(target !== undefined && { target }) }) : rule)) };
}

const given = (draft: RuleDraft): string => Object.keys(draft).map((key) => (key === 'syscalls' ? '--syscall' : key === 'where' ? '--path, --port, --comm, --fd and --uid' : FLAGS[key] ?? key)).join(', ');

/** @throws KbtopError (bad usage) with everything that is wrong */
export async function wantedOf(flags: RuleFlags): Promise<Wanted> {
  const { inject = [], file } = flags;
  const own = effectDraft(flags);
  if (file !== undefined) {
    const more = given({ ...own, ...commonDraft(flags) });
    if (inject.length > 0 || more !== '') throw usageError(`-f says all about its faults: leave out ${[inject.length > 0 ? '--inject' : '', more].filter(Boolean).join(', ')}`);
    return fromScenario(file, flags);
  }
  if (inject.length > 0) {
    if (Object.keys(own).length > 0) throw usageError(`--inject says the same as ${given(own)}: leave one out`);
    return { use: 'all', rules: inject.map((text) => injected(text, flags)) };
  }
  const target = targetOf(flags);
  return { use: 'all', rules: [checked({ ...(target !== undefined && { target }), ...own, ...commonDraft(flags) })] };
}
