/**
 * Kubeconfig files as kubectl reads them: several become one, the first to say something wins, and what is missing or
 * double is no error. The package's own merging throws for both, and knows no `tokenFile`.
 */
import { Buffer } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { isIPv6 } from 'node:net';
import { parse } from 'yaml';
import { Failure, oneLine } from './failure.ts';
import { type Person, type Place, readableBy } from './places.ts';
import { type Json, list, object, text } from './shape.ts';

/** One cluster and one user, chosen by a context. */
export interface Chosen {
  /** URL without a slash at its end. */
  readonly server: string;
  /** Where that comes from, for people: "context prod of /root/.kube/config". */
  readonly label: string;
  /** `cluster` and `user` as a kubeconfig has them, all paths absolute. */
  readonly cluster: Json;
  readonly user: Json;
  /** Of the context; "default" when it says none. */
  readonly namespace: string;
  readonly person: Person | null;
  /** When its token is of no more use, milliseconds since 1970; null: not told, or it is got anew when it ends. */
  readonly tokenEnds: number | null;
  /** Changes whenever one of the files does. */
  readonly stamp: string;
}

/** What a command line says otherwise than the context, as kubectl's --cluster, --user and --as do. */
export interface Overrides {
  /** Names of entries of the files. */
  readonly cluster?: string;
  readonly user?: string;
  readonly as?: string;
  readonly asGroups?: readonly string[];
}

/** Larger ones are not a kubeconfig; bytes. */
const LARGEST_FILE = 16 * 1024 * 1024;

const bad = (reason: string, fix: string | null = 'check the file with kubectl config view'): Failure => new Failure('configuration', reason, { fix });

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown }).code ?? '');

/** Size, time and identity of files; a missing one is a part of it. Pipes, which can be read but once, never change. */
export async function stampOf(files: readonly string[]): Promise<string> {
  const parts = await Promise.all(files.map(async (file) => {
    try {
      const found = await stat(file);
      return found.isFile() ? `${found.ino}:${found.size}:${found.mtimeMs}` : 'no file';
    } catch {
      return '-';
    }
  }));
  return parts.join(' ');
}

interface Document {
  readonly file: string;
  readonly content: Json;
}

async function readOne(file: string, required: boolean, person: Person | null): Promise<Document | null> {
  let body: string;
  try {
    if (person && !(await readableBy(person, file))) throw bad(`${file} is not readable by ${person.name}`, 'give --kubeconfig FILE');
    if ((await stat(file)).size > LARGEST_FILE) throw bad(`${file} is too large for a kubeconfig`);
    body = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (codeOf(error) === 'ENOENT' && !required) return null;
    throw bad(`${file} cannot be read: ${codeOf(error) === 'ENOENT' ? 'no such file' : codeOf(error)}`, 'give the right file by --kubeconfig or KUBECONFIG');
  }
  try {
    return { file, content: object(parse(body)) };
  } catch (error) {
    throw bad(`${file} is not YAML: ${oneLine(String((error as Error).message).split('\n')[0] ?? '')}`);
  }
}

const at = (file: string, path: unknown): unknown => (text(path) === null || isAbsolute(text(path) ?? '') ? path : join(dirname(resolve(file)), text(path) ?? ''));

function withPaths(entry: Json, file: string, names: readonly string[]): Json {
  const copy: Record<string, unknown> = { ...entry };
  for (const name of names) if (name in copy) copy[name] = at(file, copy[name]);
  return copy;
}

/** A plugin given by a path is beside the file; one given by a name is on PATH. */
function userWithPaths(user: Json, file: string): Json {
  const copy = { ...withPaths(user, file, ['client-certificate', 'client-key', 'tokenFile']) };
  const command = text(object(user['exec'])['command']);
  return command?.includes('/') ? { ...copy, exec: { ...object(user['exec']), command: at(file, command) } } : copy;
}

interface Merged {
  readonly current: string | null;
  readonly clusters: ReadonlyMap<string, Json>;
  readonly users: ReadonlyMap<string, Json>;
  readonly contexts: ReadonlyMap<string, { readonly file: string; readonly context: Json }>;
}

export function merge(documents: readonly Document[]): Merged {
  const clusters = new Map<string, Json>();
  const users = new Map<string, Json>();
  const contexts = new Map<string, { readonly file: string; readonly context: Json }>();
  let current: string | null = null;
  for (const { file, content } of documents) {
    current ??= text(content['current-context']);
    const entries = (key: string, value: string): [string, Json][] => list(content[key]).map(object).flatMap((entry) => {
      const name = text(entry['name']);
      return name === null ? [] : [[name, object(entry[value])]];
    });
    for (const [name, cluster] of entries('clusters', 'cluster')) if (!clusters.has(name)) clusters.set(name, withPaths(cluster, file, ['certificate-authority']));
    for (const [name, user] of entries('users', 'user')) if (!users.has(name)) users.set(name, userWithPaths(user, file));
    for (const [name, context] of entries('contexts', 'context')) if (!contexts.has(name)) contexts.set(name, { file, context });
  }
  return { current, clusters, users, contexts };
}

const listed = (names: Iterable<string>): string => {
  const all = [...names];
  return all.length === 0 ? 'none' : all.slice(0, 5).join(', ') + (all.length > 5 ? ', …' : '');
};

function checkUser(user: Json, label: string): void {
  const provider = text(object(user['auth-provider'])['name']);
  // Kubernetes dropped both in 1.26. What the package still does for them starts a shell and waits for it.
  if (provider === 'gcp' || provider === 'azure') throw bad(`${label} uses the auth provider ${provider}, which Kubernetes dropped`, `change to its exec plugin (${provider === 'gcp' ? 'gke-gcloud-auth-plugin' : 'kubelogin'})`);
  if (object(user['exec'])['interactiveMode'] === 'Always') throw bad(`${label} uses an exec plugin that wants to ask on the terminal`, 'use another user, by --context');
}

/** What every file must be for the user they belong to. */
async function checkOwner(person: Person, entries: Json): Promise<void> {
  for (const name of ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']) {
    const file = text(entries[name]);
    if (file !== null && !(await readableBy(person, file).catch(() => false))) throw bad(`${file} is not readable by ${person.name}`, 'give --kubeconfig FILE to read it as root');
  }
}

/** A token in a file is read again and again; the package knows such a file only by a name of its own. */
function withTokenFile({ tokenFile, ...user }: Json): Json {
  if (text(tokenFile) === null) return user;
  const { token: _, ...rest } = user;
  return { ...rest, 'auth-provider': { name: 'tokenFile', config: { tokenFile } } };
}

interface Believed {
  readonly user: Json;
  readonly tokenEnds: number | null;
}

/** `exp` of a JSON web token, milliseconds since 1970. */
function endOf(token: string): number | null {
  try {
    const seconds = object(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()))['exp'];
    return typeof seconds === 'number' ? seconds * 1_000 : null;
  } catch {
    return null;
  }
}

/**
 * An OpenID token is used as long as it is good, and kubectl gets the next: it writes it into the file. kbtop does not, since
 * many providers take a refresh token but once, and kubectl's would be spent. (The package tries, and fails.)
 */
function believe(user: Json, label: string): Believed {
  const provider = object(user['auth-provider']);
  if (provider['name'] !== 'oidc') return { user: withTokenFile(user), tokenEnds: null };
  const token = text(object(provider['config'])['id-token']);
  if (token === null) throw bad(`${label} has no OpenID token`, 'sign in with kubectl first');
  const { 'auth-provider': _, ...rest } = user;
  return { user: { ...rest, token }, tokenEnds: endOf(token) };
}

function impersonating(user: Json, { as, asGroups = [] }: Overrides): Json {
  return { ...user, ...(as !== undefined && { as }), ...(asGroups.length > 0 && { 'as-groups': asGroups }) };
}

async function namespaceIn(directory: string): Promise<string> {
  try {
    return (await readFile(join(directory, 'namespace'), 'utf8')).trim() || 'default';
  } catch {
    return 'default';
  }
}

/** @throws Failure of kind configuration, which says what to put right */
async function chooseFrom(place: Extract<Place, { kind: 'files' }>, context: string | null, overrides: Overrides): Promise<Chosen> {
  const stamp = await stampOf(place.files);
  const documents: Document[] = [];
  for (const file of place.files) {
    const document = await readOne(file, place.required, place.person);
    if (document) documents.push(document);
  }
  const where = documents.map(({ file }) => file).join(', ');
  if (documents.length === 0) throw bad(`there is no file ${place.files.join(', ')}, which KUBECONFIG names`, 'correct KUBECONFIG, or give --kubeconfig FILE');
  const { current, clusters, users, contexts } = merge(documents);
  const name = context ?? current;
  if (name === null) throw bad(`${where} has no current-context`, `give --context NAME (there: ${listed(contexts.keys())})`);
  const chosen = contexts.get(name);
  if (!chosen) throw bad(`${where} has no context ${name}`, `give --context NAME (there: ${listed(contexts.keys())})`);
  const label = `context ${name} of ${chosen.file}`;
  const clusterName = overrides.cluster ?? text(chosen.context['cluster']);
  const cluster = clusters.get(clusterName ?? '');
  if (!cluster) throw bad(`${label} names the cluster ${clusterName ?? '""'}, which is not there`);
  const userName = overrides.user ?? text(chosen.context['user']);
  const found = userName === null ? {} : users.get(userName);
  const user = found && impersonating(found, overrides);
  if (!user) throw bad(`${label} names the user ${userName ?? '""'}, which is not there`);
  const server = text(cluster['server'])?.replace(/\/+$/, '') ?? '';
  if (!/^https?:\/\/./.test(server) || !URL.canParse(server)) throw bad(`${label}: its cluster has no server that is a URL`);
  checkUser(user, label);
  if (place.person) await checkOwner(place.person, { ...cluster, ...user });
  return { server, label, cluster, ...believe(user, label), namespace: text(chosen.context['namespace']) ?? 'default', person: place.person, stamp };
}

async function ofServiceAccount({ directory, host, port }: Extract<Place, { kind: 'service account' }>, context: string | null, overrides: Overrides): Promise<Chosen> {
  if (context !== null) throw bad(`there is no kubeconfig that could have a context ${context}`, 'give --kubeconfig FILE, or no --context');
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return {
    server, label: "this pod's service account", cluster: { server, 'certificate-authority': join(directory, 'ca.crt') },
    ...believe(impersonating({ tokenFile: join(directory, 'token') }, overrides), ''), namespace: await namespaceIn(directory), person: null, stamp: '',
  };
}

/** @throws Failure of kind configuration, which says what to put right */
export function choose(place: Place, context: string | null, overrides: Overrides = {}): Promise<Chosen> {
  return place.kind === 'files' ? chooseFrom(place, context, overrides) : ofServiceAccount(place, context, overrides);
}
