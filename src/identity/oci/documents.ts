/**
 * What runtimes write about a container, from its bytes down to the strings in it. Pure; none of it is trusted: whatever has
 * another shape than expected is not there.
 */

export type Strings = Readonly<Record<string, string>>;

/** Longest string that is taken for a name or an annotation, UTF-16 units: CRI-O keeps whole JSON documents in some. */
const MAX_STRING = 64 * 1024;
const ANNOTATIONS = Buffer.from('"annotations":{');
const [QUOTE, BACKSLASH, OPEN, CLOSE, COMMA] = Buffer.from('"\\{},');

/** Undefined for JSON that is cut or broken. */
function parse(bytes: Buffer | string): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return undefined;
  }
}

export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** The members of an object that are strings; empty for anything else. */
export function stringsOf(value: unknown): Strings {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length <= MAX_STRING));
}

/** The elements of an array that are strings. */
function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** Index after the } that ends the object which begins at `begin`; -1 when it does not end. */
function endOfObject(json: Buffer, begin: number): number {
  let depth = 0;
  for (let i = begin; i < json.length; i++) {
    const byte = json[i];
    if (byte === QUOTE) {
      for (i += 1; i < json.length && json[i] !== QUOTE; i++) if (json[i] === BACKSLASH) i += 1;
    } else if (byte === OPEN) {
      depth += 1;
    } else if (byte === CLOSE) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return -1;
}

/**
 * The annotations alone, as Go writes them: a tenth of the work and of the memory, since seccomp profiles and mounts are
 * most of the file. Inside a string the quotes would have backslashes, so the key cannot be faked. Undefined: not found,
 * or not just once.
 */
function cutAnnotations(json: Buffer): unknown {
  const at = json.indexOf(ANNOTATIONS);
  if (at < 1 || (json[at - 1] !== COMMA && json[at - 1] !== OPEN) || json.includes(ANNOTATIONS, at + 1)) return undefined;
  const begin = at + ANNOTATIONS.length - 1;
  const end = endOfObject(json, begin);
  return end < 0 ? undefined : parse(json.subarray(begin, end));
}

/** Annotations of an OCI config.json, maybe none; null when it is not whole yet. */
export function annotationsOf(json: Buffer): Strings | null {
  const cut = cutAnnotations(json);
  if (cut !== undefined) return stringsOf(cut);
  const whole = parse(json);
  return whole === undefined ? null : stringsOf(field(whole, 'annotations'));
}

/** Annotations as runc keeps them in its state.json: "key=value" strings. Null when it is not whole yet. */
export function stateAnnotationsOf(json: Buffer): Strings | null {
  const whole = parse(json);
  if (whole === undefined) return null;
  return stringsOf(Object.fromEntries(listOf(field(field(whole, 'config'), 'labels')).flatMap((label) => {
    const equals = label.indexOf('=');
    return equals > 0 ? [[label.slice(0, equals), label.slice(equals + 1)]] : [];
  })));
}

export interface DockerConfig {
  readonly name: string | null;
  readonly image: string | null;
  readonly labels: Strings;
}

/** A config.v2.json of Docker; null when it is not whole yet. */
export function dockerConfigOf(json: Buffer): DockerConfig | null {
  const whole = parse(json);
  if (whole === undefined) return null;
  const [name, config] = [field(whole, 'Name'), field(whole, 'Config')];
  const image = field(config, 'Image');
  return {
    name: typeof name === 'string' ? name.replace(/^\//, '') : null,
    image: typeof image === 'string' ? image : null,
    labels: stringsOf(field(config, 'Labels')),
  };
}

/**
 * Where Docker keeps its containers' files, from the config.json that it gives to containerd: it mounts some of them.
 * Null when the file is not whole yet or mounts none.
 */
export function dockerDirectoryOf(json: Buffer, id: string): string | null {
  const mounts = field(parse(json), 'mounts');
  for (const mount of Array.isArray(mounts) ? mounts : []) {
    const source = field(mount, 'source');
    const directory = typeof source === 'string' ? /^(\/.+\/containers)\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf)$/.exec(source) : null;
    if (directory?.[1] !== undefined && directory[2] === id) return directory[1];
  }
  return null;
}

export interface StoredContainer {
  readonly name: string;
  readonly image: string | null;
}

/** A containers.json of containers/storage (podman, CRI-O): names by id; null when it is not whole. */
export function storedContainersOf(json: Buffer): Map<string, StoredContainer> | null {
  const whole = parse(json);
  if (!Array.isArray(whole)) return null;
  const stored = new Map<string, StoredContainer>();
  for (const one of whole) {
    const [id, [name]] = [field(one, 'id'), listOf(field(one, 'names'))];
    if (typeof id !== 'string' || name === undefined || name === '') continue;
    const metadata = field(one, 'metadata');
    const image = typeof metadata === 'string' ? field(parse(metadata), 'image-name') : undefined;
    stored.set(id, { name, image: typeof image === 'string' && image !== '' ? image : null });
  }
  return stored;
}

/** The object of strings in a JSON text, as CRI-O keeps labels in an annotation; null when there is none. */
export function stringsIn(text: string | undefined): Strings | null {
  const value = text === undefined ? undefined : parse(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? stringsOf(value) : null;
}
