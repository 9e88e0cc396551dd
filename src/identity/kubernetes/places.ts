/** Where kbtop finds its way into the cluster: the places that kubectl looks at, in its order. Reads nothing but names. */
import { access, readFile, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { SourceOptions } from '../options.ts';

/** What the sources look at around them; tests put something else there. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly passwd: string;
  /** Directory of the pod's service account. */
  readonly serviceAccount: string;
}

export const thisMachine: Machine = { env: process.env, passwd: '/etc/passwd', serviceAccount: '/var/run/secrets/kubernetes.io/serviceaccount' };

/** Somebody else than root, whose file this is. */
export interface Person {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export type Place =
  | {
    readonly kind: 'files';
    /** Earlier ones win over later ones. */
    readonly files: readonly string[];
    /** Given by --kubeconfig: it must be there. */
    readonly required: boolean;
    /**
     * The user who called sudo, when the file is theirs: what it names is read only where they may read it, and its
     * plugins run as they. What a user may do through sudo must not grow by a file they write.
     */
    readonly person: Person | null;
  }
  | { readonly kind: 'service account'; readonly directory: string; readonly host: string; readonly port: string };

export interface Found {
  /** Null: there is no way into a cluster here. */
  readonly place: Place | null;
  /** What was looked at in vain, for people. */
  readonly looked: readonly string[];
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** Whoever called sudo; null when nobody did, or it was root. */
async function sudoer({ env, passwd }: Machine): Promise<Person | null> {
  const uid = Number(env['SUDO_UID'] ?? Number.NaN);
  if (!Number.isSafeInteger(uid) || uid <= 0) return null;
  let lines: string[];
  try {
    lines = (await readFile(passwd, 'utf8')).split('\n');
  } catch {
    return null;
  }
  for (const line of lines) {
    const [name, , id, gid, , home] = line.split(':');
    if (name && home && Number(id) === uid) return { name, uid, gid: Number(gid), home };
  }
  return null;
}

/** Whether that user may read a file, by its owner and mode; directories above it are not asked. */
export async function readableBy(person: Person, path: string): Promise<boolean> {
  const { uid, gid, mode } = await stat(path);
  return uid === person.uid || (gid === person.gid && (mode & 0o040) !== 0) || (mode & 0o004) !== 0;
}

/** The service account that a pod is given; null outside of pods. */
export async function serviceAccount({ env, serviceAccount: directory }: Machine): Promise<Place | null> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  if (!host || !(await exists(join(directory, 'token')))) return null;
  return { kind: 'service account', directory, host, port: env['KUBERNETES_SERVICE_PORT'] ?? '443' };
}

const files = (names: readonly string[], required = false, person: Person | null = null): Place => ({ kind: 'files', files: names, required, person });

/** Never rejects. */
export async function findPlace({ kubeconfig }: Pick<SourceOptions, 'kubeconfig'>, machine: Machine): Promise<Found> {
  const { env } = machine;
  if (kubeconfig !== null) return { place: files([kubeconfig], true), looked: [] };
  const looked: string[] = [];
  const inPod = await serviceAccount(machine);
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((name) => name !== '');
  if (named.length > 0) {
    // With none of them there, kubectl goes on to the service account; without one, the names are what is wrong.
    const present = await Promise.all(named.map(exists));
    return { place: inPod !== null && !present.includes(true) ? inPod : files(named), looked };
  }
  if (env['HOME']) {
    const own = join(env['HOME'], '.kube', 'config');
    if (await exists(own)) return { place: files([own]), looked };
    looked.push(own);
  }
  const person = await sudoer(machine);
  if (person) {
    const theirs = join(person.home, '.kube', 'config');
    if (!looked.includes(theirs)) {
      if (await exists(theirs)) return { place: files([theirs], false, person), looked };
      looked.push(theirs);
    }
  }
  return { place: inPod, looked };
}

/** Kubeconfigs that a node has of its own: nobody said that kbtop may use them, but it may be told to. */
const NODES_OWN = ['/etc/kubernetes/kubelet.conf', '/etc/rancher/k3s/k3s.yaml', '/etc/rancher/rke2/rke2.yaml', '/etc/kubernetes/admin.conf'];

/** The first of them that is there; null when there is none. */
export async function nodesOwn(hostRoot: string): Promise<string | null> {
  for (const path of NODES_OWN) {
    // The kubelet's names its certificate by a path, which means another file below another root.
    if (path.endsWith('/kubelet.conf') && hostRoot !== '/') continue;
    const file = join(hostRoot, path);
    if (await exists(file)) return file;
  }
  return null;
}
