/**
 * The configuration file, YAML (so JSON, too). All keys are optional:
 *
 *   interval: 2s          # tick of the screen, length of a snapshot's Frames with --count
 *   color: auto           # auto, true or false
 *   ascii: false          # no characters beyond ASCII
 *   readOnly: false       # keys that change something are off
 *   panes:
 *     syscalls:
 *       sort: p99Us:desc  # COLUMN, COLUMN:asc or COLUMN:desc
 *   node: worker-1        # name of this node in Kubernetes, unless NODE_NAME is set
 *   kubeconfig: ~/.kube/config
 *   context: prod
 *   hostRoot: /host       # where the host's / is
 *   runtimeEndpoint: /run/containerd/containerd.sock
 *   image: kbtop:1.2.3    # kubectl kbtop: what debug pods run
 *   debugNamespace: ops   # kubectl kbtop: where they are made
 *
 * Read from --config FILE, else from $XDG_CONFIG_HOME/kbtop/config.yaml (~/.config/kbtop/config.yaml) if it exists.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { LineCounter, Node, Pair, YAMLMap } from 'yaml';
import type { PaneId } from '../frame/frame.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import { exportColumns, paneDef } from '../output/any-pane.ts';
import { type SortOrder, parseSort } from '../output/sort.ts';
import { parseDuration } from '../frame/duration.ts';
import { KbtopError, EXIT } from './errors.ts';
import { INTERVAL_LIMITS } from './limits.ts';
import { contextName, existingDirectory, imageName, namespaceName, nodeName, readableFile, settledPath, socketPlace } from './places.ts';
import { oneOf } from '../frame/suggest.ts';

export interface Config {
  readonly intervalMs?: number;
  /** null: auto. */
  readonly color?: boolean | null;
  readonly ascii?: boolean;
  readonly readOnly?: boolean;
  readonly node?: string;
  /** Absolute path. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Absolute path. */
  readonly hostRoot?: string;
  /** Absolute path, or one behind unix://. */
  readonly runtimeEndpoint?: string;
  readonly image?: string;
  readonly debugNamespace?: string;
  readonly sort: Partial<Readonly<Record<PaneId, SortOrder>>>;
}

export const NO_CONFIG: Config = { sort: {} };

type Draft = { -readonly [K in keyof Config]: Config[K] };
/** Reads one key's value into the draft. @throws Problem */
type Reader = (value: Node | null, at: Reading) => void;

/** Something wrong at a place of the file. */
class Problem extends Error {
  readonly node: Node | null;
  constructor(node: Node | null, message: string) {
    super(message);
    this.node = node;
  }
}

class Reading {
  readonly draft: Draft & { sort: Partial<Record<PaneId, SortOrder>> } = { sort: {} };
  readonly #yaml: typeof import('yaml');

  constructor(yaml: typeof import('yaml')) {
    this.#yaml = yaml;
  }

  scalar(node: Node | null): unknown {
    if (node !== null && !this.#yaml.isScalar(node)) throw new Problem(node, 'a single value is expected here');
    return node?.value ?? null;
  }

  boolean(node: Node | null, key: string): boolean {
    const value = this.scalar(node);
    if (typeof value !== 'boolean') throw new Problem(node, `${key} must be true or false`);
    return value;
  }

  /** A text that a parser takes which throws RangeErrors. */
  text(node: Node | null, key: string, parse: (text: string) => string): string {
    const value = this.scalar(node);
    if (typeof value !== 'string') throw new Problem(node, `${key} must be a text`);
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new Problem(node, `${key} ${error.message}`);
    }
  }

  /** Each pair of a mapping to the reader of its key; unknown keys are errors. */
  map(node: Node | null, what: string, readers: Readonly<Record<string, Reader>>): void {
    if (node === null || (this.#yaml.isScalar(node) && node.value === null)) return;
    if (!this.#yaml.isMap(node)) throw new Problem(node, `${what} must be a mapping of keys to values`);
    for (const { key, value } of (node as YAMLMap<Node, Node | null>).items as Pair<Node, Node | null>[]) {
      const name = String(this.scalar(key));
      const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
      if (!reader) throw new Problem(key, `unknown key "${name}" in ${what}${oneOf(name, Object.keys(readers), 'its keys')}`);
      reader(value, this);
    }
  }
}

const paneReader = (id: PaneId): Reader => (value, reading) => reading.map(value, `panes.${id}`, {
  sort: (node) => {
    const text = reading.scalar(node);
    if (typeof text !== 'string') throw new Problem(node, 'sort must be COLUMN, COLUMN:asc or COLUMN:desc');
    let order;
    try {
      order = parseSort(paneDef(id), text);
    } catch (error) {
      throw new Problem(node, (error as Error).message);
    }
    if (!order) throw new Problem(node, `pane ${id} has no column "${text}"; it has ${exportColumns(paneDef(id)).map((column) => column.id).join(', ')}`);
    reading.draft.sort[id] = order;
  },
});

const READERS: Readonly<Record<string, Reader>> = {
  interval: (node, reading) => {
    try {
      reading.draft.intervalMs = parseDuration(String(reading.scalar(node)), INTERVAL_LIMITS);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new Problem(node, `interval ${error.message}`);
    }
  },
  color: (node, reading) => {
    const value = reading.scalar(node);
    if (value !== 'auto' && typeof value !== 'boolean') throw new Problem(node, 'color must be auto, true or false');
    reading.draft.color = value === 'auto' ? null : value;
  },
  ascii: (node, reading) => { reading.draft.ascii = reading.boolean(node, 'ascii'); },
  readOnly: (node, reading) => { reading.draft.readOnly = reading.boolean(node, 'readOnly'); },
  node: (node, reading) => { reading.draft.node = reading.text(node, 'node', nodeName); },
  kubeconfig: (node, reading) => { reading.draft.kubeconfig = reading.text(node, 'kubeconfig', (text) => readableFile(settledPath(text))); },
  context: (node, reading) => { reading.draft.context = reading.text(node, 'context', contextName); },
  hostRoot: (node, reading) => { reading.draft.hostRoot = reading.text(node, 'hostRoot', (text) => existingDirectory(settledPath(text))); },
  runtimeEndpoint: (node, reading) => { reading.draft.runtimeEndpoint = reading.text(node, 'runtimeEndpoint', socketPlace); },
  image: (node, reading) => { reading.draft.image = reading.text(node, 'image', imageName); },
  debugNamespace: (node, reading) => { reading.draft.debugNamespace = reading.text(node, 'debugNamespace', namespaceName); },
  panes: (node, reading) => reading.map(node, 'panes', Object.fromEntries(PANE_IDS.map((id) => [id, paneReader(id)]))),
};

const bad = (file: string, place: string, message: string): KbtopError => new KbtopError(EXIT.usage, `${file}${place}: ${message}`);

function placeOf(lines: LineCounter, offset: number | undefined): string {
  if (offset === undefined) return '';
  const { line, col } = lines.linePos(offset);
  return `:${line}:${col}`;
}

/** @param file its name, for messages @throws KbtopError with the place of the first mistake */
export async function parseConfig(text: string, file: string): Promise<Config> {
  // A CommonJS package: whole in its default export, in a bundle, too.
  const { default: yaml } = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [first] = document.errors;
  if (first) throw bad(file, placeOf(lines, first.pos[0]), first.message);
  const reading = new Reading(yaml);
  try {
    reading.map(document.contents as Node | null, 'the configuration', READERS);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw bad(file, placeOf(lines, error.node?.range?.[0]), error.message);
  }
  return reading.draft;
}

/** Null where there is no home: a user without a name, as in an image or a bare root directory, and no HOME. */
function homeOf(environment: NodeJS.ProcessEnv): string | null {
  try {
    return environment['HOME'] || homedir();
  } catch {
    return null;
  }
}

function defaultFile(environment: NodeJS.ProcessEnv): string | null {
  const home = homeOf(environment);
  const base = environment['XDG_CONFIG_HOME'] || (home === null ? null : join(home, '.config'));
  return base === null ? null : join(base, 'kbtop', 'config.yaml');
}

/** @param given from --config: must exist; without it the default file, if there is one */
export async function readConfig(given: string | undefined, environment: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const file = given ?? defaultFile(environment);
  if (file === null) return NO_CONFIG;
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (given === undefined && (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES')) return NO_CONFIG;
    throw new KbtopError(EXIT.usage, `cannot read the configuration ${file}: ${code === 'ENOENT' ? 'there is no such file' : message}`, { cause: error });
  }
  return parseConfig(text, file);
}
