/**
 * The part of the Kubernetes Container Runtime Interface (package runtime.v1) that names need, as protobufjs reads it.
 * Fields that are not here are skipped when a message is read. Enums are plain numbers.
 */

/** Paths of the methods' calls. */
export const METHODS = {
  Version: '/runtime.v1.RuntimeService/Version',
  ListPodSandbox: '/runtime.v1.RuntimeService/ListPodSandbox',
  ListContainers: '/runtime.v1.RuntimeService/ListContainers',
  ContainerStatus: '/runtime.v1.RuntimeService/ContainerStatus',
  ListImages: '/runtime.v1.ImageService/ListImages',
} as const;

/** PodSandboxState of a sandbox that runs; proto3 leaves zeros out, so it is what an absent state means. */
export const SANDBOX_READY = 0;

const text = (id: number) => ({ type: 'string', id });
const number = (id: number) => ({ type: 'int32', id });
const message = (type: string, id: number) => ({ type, id });
const list = (type: string, id: number) => ({ rule: 'repeated', type, id });
const strings = (id: number) => ({ keyType: 'string', type: 'string', id });

export const MESSAGES = {
  VersionRequest: { fields: { version: text(1) } },
  VersionResponse: { fields: { version: text(1), runtimeName: text(2), runtimeVersion: text(3), runtimeApiVersion: text(4) } },

  PodSandboxFilter: { fields: { id: text(1), labelSelector: strings(3) } },
  ListPodSandboxRequest: { fields: { filter: message('PodSandboxFilter', 1) } },
  ListPodSandboxResponse: { fields: { items: list('PodSandbox', 1) } },
  PodSandbox: { fields: { id: text(1), metadata: message('PodSandboxMetadata', 2), state: number(3), labels: strings(5) } },
  PodSandboxMetadata: { fields: { name: text(1), uid: text(2), namespace: text(3), attempt: { type: 'uint32', id: 4 } } },

  ContainerFilter: { fields: { id: text(1), podSandboxId: text(3), labelSelector: strings(4) } },
  ListContainersRequest: { fields: { filter: message('ContainerFilter', 1) } },
  ListContainersResponse: { fields: { containers: list('Container', 1) } },
  Container: { fields: { id: text(1), podSandboxId: text(2), metadata: message('ContainerMetadata', 3), image: message('ImageSpec', 4), labels: strings(8) } },
  ContainerMetadata: { fields: { name: text(1) } },
  // userSpecifiedImage came with Kubernetes 1.28: the image as the pod's author wrote it.
  ImageSpec: { fields: { image: text(1), userSpecifiedImage: text(18) } },

  ListImagesRequest: { fields: {} },
  ListImagesResponse: { fields: { images: list('Image', 1) } },
  Image: { fields: { id: text(1), repoTags: list('string', 2), repoDigests: list('string', 3) } },

  ContainerStatusRequest: { fields: { containerId: text(1) } },
  ContainerStatusResponse: { fields: { status: message('ContainerStatus', 1) } },
  ContainerStatus: { fields: { id: text(1), image: message('ImageSpec', 8) } },
};
