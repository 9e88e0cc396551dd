/** The manifests of deploy/, as files and as kubectl puts them together. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

export const DEPLOY = join(import.meta.dirname, '../../deploy');
export const VARIANTS = ['base', 'overlays/chaos', 'overlays/metrics', 'viewer'] as const;
export type Variant = (typeof VARIANTS)[number];

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } } }[];
  readonly resources: { readonly requests: Record<string, string>; readonly limits: Record<string, string> };
  readonly securityContext: { readonly privileged: boolean; readonly allowPrivilegeEscalation: boolean; readonly readOnlyRootFilesystem: boolean; readonly runAsUser: number; readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] } };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe?: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly livenessProbe?: { readonly httpGet: { readonly path: string; readonly port: string } };
}

export interface PodSpec {
  readonly serviceAccountName: string;
  readonly priorityClassName: string;
  readonly hostPID: boolean;
  readonly hostNetwork?: boolean;
  readonly hostIPC?: boolean;
  readonly tolerations: readonly object[];
  readonly containers: readonly [Container, ...Container[]];
  readonly initContainers?: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly hostPath?: { readonly path: string; readonly type: string } }[];
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly spec?: { readonly selector: { readonly matchLabels: Record<string, string> }; readonly updateStrategy: object; readonly template: { readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> }; readonly spec: PodSpec } };
  readonly rules?: readonly { readonly apiGroups: readonly string[]; readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

/** @throws when it is not YAML, or has a key twice */
export function parsed(text: string): Manifest[] {
  return parseAllDocuments(text, { uniqueKeys: true }).map((document) => {
    if (document.errors.length > 0) throw new Error(document.errors.map(({ message }) => message).join('; '));
    // & and * as kubectl reads them.
    return document.toJS() as Manifest;
  });
}

/** Every file, by its path below deploy/. */
export function files(): ReadonlyMap<string, string> {
  const names = (readdirSync(DEPLOY, { recursive: true }) as string[]).filter((name) => name.endsWith('.yaml')).toSorted();
  return new Map(names.map((name) => [name, readFileSync(join(DEPLOY, name), 'utf8')]));
}

/** kubectl with a kustomize that knows patches: 1.21. */
function hasKubectl(): boolean {
  const { status, stdout } = spawnSync('kubectl', ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  if (status !== 0) return false;
  const { clientVersion } = JSON.parse(stdout) as { clientVersion: { major: string; minor: string } };
  return Number(clientVersion.major) > 1 || Number.parseInt(clientVersion.minor, 10) >= 21;
}

export const canKustomize = hasKubectl();

const built = new Map<Variant, Manifest[]>();

/** What kubectl apply -k would send. */
export function kustomized(variant: Variant): Manifest[] {
  let all = built.get(variant);
  if (all === undefined) {
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(DEPLOY, variant)], { encoding: 'utf8' });
    if (status !== 0 || stderr !== '') throw new Error(`kubectl kustomize ${variant}: ${stderr}`);
    built.set(variant, all = parsed(stdout));
  }
  return all;
}

/** The agent's own container as a file has it: a patch tells only what it changes. */
export const containerIn = (file: string): Partial<Container> => {
  const text = files().get(file);
  if (text === undefined) throw new Error(`no deploy/${file}`);
  return parsed(text)[0]?.spec?.template.spec.containers[0] ?? {};
};

/** Capabilities that a variant asks for, from the files alone. */
export const capabilitiesOf = (file: 'base/daemonset.yaml' | 'overlays/chaos/daemonset.yaml'): readonly string[] => containerIn(file).securityContext?.capabilities.add ?? [];
