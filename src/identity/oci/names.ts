/** From what runtimes write about a container to its names. Each reads its own keys only: users choose the others. Pure. */
import type { Names } from '../source.ts';
import { type DockerConfig, stringsIn, type Strings } from './documents.ts';

/** What one file tells. */
export interface Reading {
  readonly names: Names;
  /** The pod's sandbox, whose own file holds the pod's labels; null where no file does. */
  readonly sandboxId: string | null;
}

/** Kubernetes allows 253, Docker no less than this; longer ones are not names. */
const MAX_NAME = 1_024;
const MAX_LABELS_LENGTH = 32 * 1024;
const ID = /^[0-9a-f]{64}$/;
/** An image by its id alone says nothing to a reader, and somebody else may know its name. */
const IMAGE_ID = /^(?:sha256:)?[0-9a-f]{64}$/;
/** Labels of the kubelet and its runtimes, beside the pod's own. */
const OWN_LABEL = /^(?:io\.kubernetes\.(?:pod|container|docker|sandbox|cri-o|cri)\.|annotation\.)/;

function name(text: string | null | undefined): string | undefined {
  return text != null && text !== '' && text.length <= MAX_NAME ? text : undefined;
}

function image(...texts: readonly (string | null | undefined)[]): string | undefined {
  return texts.map(name).find((text) => text !== undefined && !IMAGE_ID.test(text));
}

/** All of them or none: a part would answer selectors wrongly. */
function labels(all: Strings | null): Strings | undefined {
  if (all === null) return undefined;
  const own = Object.entries(all).filter(([key]) => !OWN_LABEL.test(key));
  const length = own.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return own.length === 0 || length > MAX_LABELS_LENGTH ? undefined : Object.fromEntries(own);
}

/** Without the fields that are not known. */
function known(names: { readonly [K in keyof Names]: Names[K] | undefined }): Names {
  return Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined));
}

const idOf = (text: string | undefined): string | null => (text !== undefined && ID.test(text) ? text : null);

/** containerd's CRI plugin, and nerdctl; null where neither made the container. */
export function fromContainerd(annotations: Strings): Reading | null {
  const type = annotations['io.kubernetes.cri.container-type'];
  const pod = name(annotations['io.kubernetes.cri.sandbox-name']);
  if (type === undefined || pod === undefined) {
    const own = name(annotations['nerdctl/name']);
    return own === undefined ? null : { names: { kind: 'container', container: own }, sandboxId: null };
  }
  const sandbox = type === 'sandbox';
  return {
    names: known({
      kind: sandbox ? 'sandbox' : 'pod', namespace: name(annotations['io.kubernetes.cri.sandbox-namespace']), pod,
      podUid: name(annotations['io.kubernetes.cri.sandbox-uid']), container: sandbox ? undefined : name(annotations['io.kubernetes.cri.container-name']),
      image: image(annotations['io.kubernetes.cri.image-name'], annotations['io.kubernetes.cri.podsandbox.image-name']),
    }),
    sandboxId: null,
  };
}

/** CRI-O; null where it did not make the container. */
export function fromCrio(annotations: Strings): Reading | null {
  const pod = name(annotations['io.kubernetes.pod.name']);
  if (annotations['io.container.manager'] !== 'cri-o' || pod === undefined) return null;
  const sandbox = annotations['io.kubernetes.cri-o.ContainerType'] === 'sandbox';
  return {
    names: known({
      kind: sandbox ? 'sandbox' : 'pod', namespace: name(annotations['io.kubernetes.pod.namespace']), pod, podUid: name(annotations['io.kubernetes.pod.uid']),
      container: sandbox ? undefined : name(annotations['io.kubernetes.container.name']),
      image: image(annotations['io.kubernetes.cri-o.ImageName'], annotations['io.kubernetes.cri-o.Image']),
      labels: labels(stringsIn(annotations['io.kubernetes.cri-o.Labels'])),
    }),
    sandboxId: sandbox ? null : idOf(annotations['io.kubernetes.cri-o.SandboxID']),
  };
}

/** Podman made the container: its name is elsewhere. */
export function isPodman(annotations: Strings): boolean {
  return annotations['io.container.manager'] === 'libpod';
}

export function fromPodman(annotations: Strings, stored: { readonly name: string; readonly image: string | null }): Reading | null {
  const container = name(stored.name);
  if (container === undefined) return null;
  const infra = annotations['io.kubernetes.cri-o.ContainerType'] === 'sandbox';
  return { names: known({ kind: infra ? 'sandbox' : 'container', container, image: image(stored.image) }), sandboxId: null };
}

/** Docker, and cri-dockerd, which tells pods by labels. */
export function fromDocker(config: DockerConfig): Reading | null {
  const own = config.labels;
  const type = own['io.kubernetes.docker.type'];
  const pod = name(own['io.kubernetes.pod.name']);
  if (pod !== undefined && (type === 'container' || type === 'podsandbox')) {
    const sandbox = type === 'podsandbox';
    return {
      names: known({
        kind: sandbox ? 'sandbox' : 'pod', namespace: name(own['io.kubernetes.pod.namespace']), pod, podUid: name(own['io.kubernetes.pod.uid']),
        container: sandbox ? undefined : name(own['io.kubernetes.container.name']), image: image(config.image), labels: labels(own),
      }),
      sandboxId: sandbox ? null : idOf(own['io.kubernetes.sandbox.id']),
    };
  }
  const container = name(config.name);
  return container === undefined ? null : { names: known({ kind: 'container', container, image: image(config.image), labels: labels(own) }), sandboxId: null };
}
