/** Where a container runtime's socket may be: as the user says, as kubelet and crictl are configured, or in the known places. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { HostPath } from '../host-path.ts';
import type { SourceOptions } from '../options.ts';

/** Sockets of containerd, CRI-O, cri-dockerd, k3s and RKE2, k0s and MicroK8s on the host. */
const KNOWN_PLACES = [
  '/run/containerd/containerd.sock', '/run/crio/crio.sock', '/run/cri-dockerd.sock', '/run/k3s/containerd/containerd.sock',
  '/run/k0s/containerd.sock', '/var/snap/microk8s/common/run/containerd.sock',
];

const VARIABLE = 'CONTAINER_RUNTIME_ENDPOINT';
/** Values may be quoted, and JSON is YAML. kubeadm wrote the endpoint among kubelet's flags before 1.35. */
const CONFIGURATIONS: readonly (readonly [path: string, value: RegExp])[] = [
  ['/var/lib/kubelet/config.yaml', /^[ \t{]*["']?containerRuntimeEndpoint["']?[ \t]*:[ \t]*["']?([^\s"'#,}]+)/m],
  ['/var/lib/kubelet/kubeadm-flags.env', /--container-runtime-endpoint[= ]["']?([^\s"']+)/],
  ['/etc/crictl.yaml', /^[ \t{]*["']?runtime-endpoint["']?[ \t]*:[ \t]*["']?([^\s"'#,}]+)/m],
];
/** Larger files are not what they say. */
const MOST_BYTES = 1 << 20;

export interface Endpoints {
  /** Paths of sockets that may or may not be there, most likely first. */
  readonly paths: readonly string[];
  /** What names the one path; null when the places were looked up. */
  readonly given: string | null;
  /** Why what was given is no path; null when it is. */
  readonly refused: string | null;
}

function read(path: string): string {
  try {
    const { size } = statSync(path);
    // A FIFO or a device would keep us waiting; its size is 0.
    return size > 0 && size <= MOST_BYTES ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}

/** Where a path of the host leads: /var/run, a link to /run on most nodes, would otherwise lead back into the pod that kbtop runs in. */
function underHostRoot(hostRoot: string, path: string): string {
  const host = new HostPath(hostRoot);
  return host.resolveNow(path) ?? host.join(path);
}

/** The path in a unix:// URL; null when it is something else. */
function pathOf(endpoint: string): { readonly path: string; readonly url: boolean } | null {
  const url = /^unix:(?:\/\/)?(.*)$/i.exec(endpoint)?.[1];
  if (url !== undefined) return url === '' ? null : { path: url, url: true };
  return endpoint === '' || /^[a-z][\w+.-]*:/i.test(endpoint) ? null : { path: endpoint, url: false };
}

/** What the user names is a path of the host if it is there; a URL is meant for where kbtop runs, if it is there. */
function place(hostRoot: string, { path, url }: { readonly path: string; readonly url: boolean }): string {
  const [below, here] = [underHostRoot(hostRoot, path), resolve(path)];
  return url ? (existsSync(here) ? here : below) : existsSync(below) ? below : here;
}

/** Look up where to connect to. Reads a few small files; never throws. */
export function findEndpoints({ hostRoot, runtimeEndpoint }: Pick<SourceOptions, 'hostRoot' | 'runtimeEndpoint'>, env: NodeJS.ProcessEnv = process.env): Endpoints {
  const [given, endpoint] = runtimeEndpoint === null ? [VARIABLE, env[VARIABLE]?.trim() ?? ''] : ['--runtime-endpoint', runtimeEndpoint.trim()];
  if (runtimeEndpoint !== null || endpoint !== '') {
    const found = pathOf(endpoint);
    if (found === null) return { paths: [], given, refused: `${given} is ${endpoint === '' ? 'empty' : endpoint}, which is not a unix socket` };
    return { paths: [place(hostRoot, found)], given, refused: null };
  }
  const configured = CONFIGURATIONS.flatMap(([path, value]) => {
    const found = pathOf(value.exec(read(underHostRoot(hostRoot, path)))?.[1] ?? '');
    return found === null ? [] : [found.path];
  });
  return { paths: [...new Set([...configured, ...KNOWN_PLACES].map((path) => underHostRoot(hostRoot, path)))], given: null, refused: null };
}
