/**
 * Scenario files: several rules with a name and a description, in YAML (so JSON, too). Read with every mistake at its
 * line and column; scenario-write.ts writes what this reads.
 *
 *   version: 1
 *   name: disk-full
 *   description: What you will see.
 *   use: all                    # or first: the first rule that this kernel can do, instead of all of them
 *   rules:
 *     - name: no-space
 *       target: {pod: shop/web-1, container: app}    # or {cgroup: /a/b}, {containerId: 0123456789ab}; may be left out
 *       syscalls: ["%open", write]
 *       error: ENOSPC           # or signal: SIGTERM, or delay: 5ms
 *       where: {path: "/data/*", port: 80, fd: 3, comm: nginx, uid: 1000}
 *       probability: 0.5
 *       skip: 2
 *       every: 2
 *       last: 100
 *       maxHits: 10
 *       duration: 30s
 *       seed: 7
 *       backend: fmod_ret
 *       kernel: {fault: slab, function: ext4_create, argument: 2, string: hello}    # or pid: 4711
 */
import type { Document, LineCounter, Node, Pair, YAMLMap, YAMLSeq } from 'yaml';
import { parseDuration } from '../frame/duration.ts';
import { nearest, oneOf } from '../frame/suggest.ts';
import { bad, good, type Result } from './result.ts';
import { MAX_DURATION_MS, MIN_DURATION_MS, type Rule } from './rule.ts';
import { parseDelayUs } from './time.ts';
import { type RuleDraft, validateRule } from './validate.ts';

export const SCENARIO_VERSION = 1;
/** Rules that one scenario may have. */
export const MAX_RULES = 32;
const MAX_BYTES = 262_144;
const MAX_DESCRIPTION = 4096;
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export interface Scenario {
  readonly name: string;
  /** What one will see. */
  readonly description: string;
  /** All rules at once, or the first that can be done here: several ways to the same end. */
  readonly use: 'all' | 'first';
  readonly rules: readonly Rule[];
}

/** Something wrong at a place of the file; both count from 1. */
export interface ScenarioMistake {
  readonly line: number;
  readonly column: number;
  /** One line. Raw, not escaped. */
  readonly message: string;
}

type Yaml = typeof import('yaml');
/** A value and where it stands; the key's place where there is no value. */
interface Value {
  readonly node: Node | null;
  readonly offset: number;
}
interface Fields extends ReadonlyMap<string, Value> {
  /** Keys that were probably meant by unknown ones: that they are missing is no news. */
  readonly meant: ReadonlySet<string>;
}

class Reading {
  readonly #yaml: Yaml;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly mistakes: (ScenarioMistake & { readonly offset: number })[] = [];
  /** Places about which everything is said. */
  readonly #done = new Set<number>();

  constructor(yaml: Yaml, document: Document, lines: LineCounter) {
    this.#yaml = yaml;
    this.#document = document;
    this.#lines = lines;
  }

  wrong(offset: number, message: string): void {
    if (this.#done.has(offset)) return;
    const { line, col } = this.#lines.linePos(offset);
    this.mistakes.push({ line: Math.max(1, line), column: Math.max(1, col), message, offset });
  }

  /** The node itself, or what an alias stands for. */
  value(node: Node | null | undefined, otherwise: number): Value {
    const offset = node?.range?.[0] ?? otherwise;
    if (!node || !this.#yaml.isAlias(node)) return { node: node ?? null, offset };
    const resolved = node.resolve(this.#document) as Node | undefined;
    if (resolved === undefined) {
      this.wrong(offset, `there is no anchor &${node.source} above`);
      this.#done.add(offset);
    }
    return { node: resolved ?? null, offset };
  }

  /** The values of a mapping by key; null and a mistake when it is none. Unknown keys are mistakes. */
  fields(value: Value, what: string, keys: readonly string[]): Fields | null {
    if (value.node === null || !this.#yaml.isMap(value.node)) {
      this.wrong(value.offset, `${what} must be a mapping of keys to values`);
      return null;
    }
    const fields = new Map<string, Value>();
    const meant = new Set<string>();
    for (const { key, value: node } of (value.node as YAMLMap<Node, Node | null>).items as Pair<Node, Node | null>[]) {
      const offset = key.range?.[0] ?? value.offset;
      const name = this.#yaml.isScalar(key) ? String(key.value) : '';
      if (!this.#yaml.isScalar(key)) this.wrong(offset, `a key of ${what} must be a word; keys are ${keys.join(', ')}`);
      else if (keys.includes(name)) fields.set(name, this.value(node, offset));
      else {
        this.wrong(offset, `unknown key "${name}" in ${what}${oneOf(name, keys, 'keys')}`);
        const near = nearest(name, keys);
        if (near !== undefined) meant.add(near);
      }
    }
    return Object.assign(fields, { meant });
  }

  items(value: Value, what: string): Value[] | null {
    if (value.node !== null && this.#yaml.isSeq(value.node)) return ((value.node as YAMLSeq<Node | null>).items).map((item) => this.value(item, value.offset));
    this.wrong(value.offset, `${what} must be a list`);
    return null;
  }

  /** Undefined and a mistake when it is no text. Numbers are taken as they are written: a container may be called 1. */
  text(value: Value, what: string): string | undefined {
    const { node } = value;
    if (node !== null && this.#yaml.isScalar(node)) {
      if (typeof node.value === 'string') return node.value;
      if (typeof node.value === 'number' && node.source !== undefined) return node.source;
    }
    this.wrong(value.offset, `${what} must be ${what === 'error' || what === 'signal' ? 'a name' : 'text'}`);
    return undefined;
  }

  number(value: Value, what: string): number | undefined {
    const { node } = value;
    if (node !== null && this.#yaml.isScalar(node) && typeof node.value === 'number' && Number.isFinite(node.value)) return node.value;
    this.wrong(value.offset, `${what} must be a number`);
    return undefined;
  }

  /** Text with a unit, read by `read`. */
  timed(value: Value, what: string, read: (text: string) => number): number | undefined {
    const text = this.text(value, what);
    if (text === undefined) return undefined;
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.wrong(value.offset, `${what} ${error.message}`);
      return undefined;
    }
  }
}

const RULE_KEYS = ['name', 'target', 'syscalls', 'error', 'signal', 'delay', 'where', 'probability', 'skip', 'every', 'last', 'maxHits', 'duration', 'seed', 'backend', 'kernel'];
const TARGET_KEYS = ['pod', 'container', 'cgroup', 'containerId'];
const WHERE_KEYS = ['path', 'port', 'fd', 'comm', 'uid'];
const KERNEL_KEYS = ['fault', 'function', 'argument', 'string', 'pid'];
const SCENARIO_KEYS = ['version', 'name', 'description', 'use', 'rules'];
const TEXTS = new Set(['name', 'error', 'signal', 'backend', 'pod', 'container', 'cgroup', 'containerId', 'path', 'comm', 'fault', 'function', 'string']);
const MAPPINGS: Readonly<Record<string, readonly string[]>> = { target: TARGET_KEYS, where: WHERE_KEYS, kernel: KERNEL_KEYS };

const durationMs = (text: string): number => Math.round(parseDuration(text, { min: MIN_DURATION_MS, max: MAX_DURATION_MS }));

/** One rule's draft, with the place of every path in it. */
function readDraft(reading: Reading, value: Value): { readonly draft: RuleDraft; readonly places: ReadonlyMap<string, number>; readonly unread: ReadonlySet<string> } | null {
  const places = new Map<string, number>([['', value.offset]]);
  const unread = new Set<string>();
  const read = (fields: Fields, prefix: string): Record<string, unknown> => {
    const draft: Record<string, unknown> = {};
    for (const key of fields.meant) unread.add(`${prefix}${key}`);
    for (const [key, field] of fields) {
      const path = `${prefix}${key}`;
      places.set(path, field.offset);
      const got = readField(key, path, field);
      if (got === undefined) unread.add(path);
      else draft[key] = got;
    }
    return draft;
  };
  const readField = (key: string, path: string, field: Value): unknown => {
    if (path === 'syscalls') {
      const items = reading.items(field, key)?.map((item, i) => {
        places.set(`syscalls[${i}]`, item.offset);
        return reading.text(item, 'a system call');
      });
      return items?.every((item) => item !== undefined) === true ? items : undefined;
    }
    if (path === 'duration') return reading.timed(field, key, durationMs);
    if (path === 'delay') return reading.timed(field, key, (text) => parseDelayUs(text, null));
    const keys = MAPPINGS[path];
    if (keys !== undefined) {
      const fields = reading.fields(field, path, keys);
      return fields === null ? undefined : read(fields, `${path}.`);
    }
    return TEXTS.has(key) ? reading.text(field, key) : reading.number(field, key);
  };
  const fields = reading.fields(value, 'a rule', RULE_KEYS);
  return fields === null ? null : { draft: read(fields, '') as RuleDraft, places, unread };
}

function readRule(reading: Reading, value: Value): Rule | null {
  const before = reading.mistakes.length;
  const got = readDraft(reading, value);
  if (got === null) return null;
  const { draft, places, unread } = got;
  const validated = validateRule(draft);
  if (validated.ok) return reading.mistakes.length > before ? null : validated.value;
  for (const { path, message } of validated.mistakes) {
    // What could not be read is missing in the draft: that it is missing is no news.
    if (unread.has(path) || (path === '' && ['error', 'signal', 'delay', 'kernel'].some((key) => unread.has(key)))) continue;
    if ([...unread].some((one) => one.startsWith(`${path}.`))) continue;
    reading.wrong(places.get(path) ?? places.get(path.slice(0, path.search(/[.[]/))) ?? value.offset, message);
  }
  return null;
}

function readScenario(reading: Reading, root: Value): Scenario | null {
  const fields = reading.fields(root, 'a scenario', SCENARIO_KEYS);
  if (fields === null) return null;
  const take = <T>(key: string, read: (value: Value) => T | undefined): T | undefined => {
    const value = fields.get(key);
    return value === undefined ? undefined : read(value);
  };
  const missing = (key: string): void => { if (!fields.has(key) && !fields.meant.has(key)) reading.wrong(root.offset, `the scenario lacks ${key}`); };

  missing('version');
  take('version', (value) => {
    const version = reading.number(value, 'version');
    if (version !== undefined && version !== SCENARIO_VERSION) reading.wrong(value.offset, `version must be ${SCENARIO_VERSION}: a newer kbtop may read this file`);
    return version;
  });
  missing('name');
  const name = take('name', (value) => {
    const text = reading.text(value, 'name');
    if (text !== undefined && !NAME.test(text)) reading.wrong(value.offset, `"${text}" cannot be a scenario's name: up to 63 lower-case letters, digits and hyphens`);
    return text;
  });
  const description = take('description', (value) => {
    const text = reading.text(value, 'description');
    if (text !== undefined && text.length > MAX_DESCRIPTION) reading.wrong(value.offset, `description is longer than ${MAX_DESCRIPTION} characters`);
    return text;
  });
  const use = take('use', (value) => {
    const text = reading.text(value, 'use');
    if (text === undefined || text === 'all' || text === 'first') return text;
    reading.wrong(value.offset, 'use must be all or first');
    return undefined;
  });
  missing('rules');
  const rules = take('rules', (value) => readRules(reading, value)) ?? [];
  if (reading.mistakes.length > 0) return null;
  return { name: name ?? '', description: (description ?? '').trim(), use: use ?? 'all', rules };
}

function readRules(reading: Reading, value: Value): Rule[] {
  const items = reading.items(value, 'rules') ?? [];
  if (items.length === 0 && !reading.mistakes.some(({ offset }) => offset === value.offset)) reading.wrong(value.offset, 'rules lacks a rule');
  if (items.length > MAX_RULES) {
    reading.wrong(items[MAX_RULES]?.offset ?? value.offset, `${items.length} rules are too many: ${MAX_RULES} at most`);
    return [];
  }
  const names = new Set<string>();
  return items.flatMap((item) => {
    const rule = readRule(reading, item);
    if (rule === null) return [];
    if (rule.name !== null && names.has(rule.name)) reading.wrong(item.offset, `two rules are called ${rule.name}`);
    if (rule.name !== null) names.add(rule.name);
    return [rule];
  });
}

/** The scenario, or all mistakes in the order of the file. */
export async function parseScenario(text: string): Promise<Result<Scenario, ScenarioMistake>> {
  if (Buffer.byteLength(text) > MAX_BYTES) return bad([{ line: 1, column: 1, message: `the file is larger than ${MAX_BYTES / 1024} KiB` }]);
  // A CommonJS package: whole in its default export, in a bundle, too.
  const { default: yaml } = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const reading = new Reading(yaml, document, lines);
  for (const { pos, message } of document.errors) reading.wrong(pos[0], message.replaceAll(/\s*\n\s*/g, ' '));
  const scenario = reading.mistakes.length > 0 ? null : readScenario(reading, reading.value(document.contents as Node | null, 0));
  if (scenario !== null) return good(scenario);
  return bad(reading.mistakes.sort((a, b) => a.offset - b.offset).map(({ line, column, message }) => ({ line, column, message })));
}

/** All of it in one line: `disk.yaml:3:5: unknown key ...; 7:3: ...`. */
export function scenarioError(file: string, mistakes: readonly ScenarioMistake[]): string {
  return `${file}:${mistakes.map(({ line, column, message }) => `${line}:${column}: ${message}`).join('; ')}`;
}

