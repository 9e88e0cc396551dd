/**
 * The messages of the CRI (runtime.v1) that the tests send and read, with the fields that they use: 'type number' as a
 * .proto file has them, `map` for string to string. Stands apart from kbtop's own, so that neither repeats the other's
 * mistakes.
 */
import protobuf from 'protobufjs/light.js';

const MESSAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  VersionRequest: { version: 'string 1' },
  VersionResponse: { version: 'string 1', runtimeName: 'string 2', runtimeVersion: 'string 3', runtimeApiVersion: 'string 4' },

  NamespaceOption: { network: 'int32 1', pid: 'int32 2', ipc: 'int32 3' },
  LinuxSandboxSecurityContext: { namespaceOptions: 'NamespaceOption 1' },
  LinuxPodSandboxConfig: { cgroupParent: 'string 1', securityContext: 'LinuxSandboxSecurityContext 2' },
  PodSandboxMetadata: { name: 'string 1', uid: 'string 2', namespace: 'string 3', attempt: 'uint32 4' },
  PodSandboxConfig: {
    metadata: 'PodSandboxMetadata 1', hostname: 'string 2', logDirectory: 'string 3', labels: 'map 6', annotations: 'map 7', linux: 'LinuxPodSandboxConfig 8',
  },
  RunPodSandboxRequest: { config: 'PodSandboxConfig 1' },
  RunPodSandboxResponse: { podSandboxId: 'string 1' },
  StopPodSandboxRequest: { podSandboxId: 'string 1' },
  StopPodSandboxResponse: {},
  RemovePodSandboxRequest: { podSandboxId: 'string 1' },
  RemovePodSandboxResponse: {},

  ImageSpec: { image: 'string 1' },
  Image: { id: 'string 1', repoTags: 'repeated string 2' },
  ImageStatusRequest: { image: 'ImageSpec 1' },
  ImageStatusResponse: { image: 'Image 1' },

  LinuxContainerResources: { cpuShares: 'int64 3', memoryLimitInBytes: 'int64 4', oomScoreAdj: 'int64 5' },
  Capability: { addCapabilities: 'repeated string 1', dropCapabilities: 'repeated string 2' },
  Int64Value: { value: 'int64 1' },
  SecurityProfile: { profileType: 'int32 1' },
  LinuxContainerSecurityContext: { capabilities: 'Capability 1', privileged: 'bool 2', namespaceOptions: 'NamespaceOption 3', runAsUser: 'Int64Value 5', seccomp: 'SecurityProfile 15' },
  LinuxContainerConfig: { resources: 'LinuxContainerResources 1', securityContext: 'LinuxContainerSecurityContext 2' },
  ContainerMetadata: { name: 'string 1', attempt: 'uint32 2' },
  KeyValue: { key: 'string 1', value: 'string 2' },
  Mount: { containerPath: 'string 1', hostPath: 'string 2', readonly: 'bool 3' },
  ContainerConfig: {
    metadata: 'ContainerMetadata 1', image: 'ImageSpec 2', command: 'repeated string 3', args: 'repeated string 4', envs: 'repeated KeyValue 6', mounts: 'repeated Mount 7', labels: 'map 9',
    annotations: 'map 10', logPath: 'string 11', stdin: 'bool 12', stdinOnce: 'bool 13', tty: 'bool 14', linux: 'LinuxContainerConfig 15',
  },
  CreateContainerRequest: { podSandboxId: 'string 1', config: 'ContainerConfig 2', sandboxConfig: 'PodSandboxConfig 3' },
  CreateContainerResponse: { containerId: 'string 1' },
  StartContainerRequest: { containerId: 'string 1' },
  StartContainerResponse: {},
  StopContainerRequest: { containerId: 'string 1', timeout: 'int64 2' },
  StopContainerResponse: {},
  ExecRequest: { containerId: 'string 1', cmd: 'repeated string 2', tty: 'bool 3', stdin: 'bool 4', stdout: 'bool 5', stderr: 'bool 6' },
  ExecResponse: { url: 'string 1' },
  AttachRequest: { containerId: 'string 1', stdin: 'bool 2', tty: 'bool 3', stdout: 'bool 4', stderr: 'bool 5' },
  AttachResponse: { url: 'string 1' },
  RemoveContainerRequest: { containerId: 'string 1' },
  RemoveContainerResponse: {},
  ContainerStatusRequest: { containerId: 'string 1', verbose: 'bool 2' },
  ContainerStatus: { id: 'string 1', metadata: 'ContainerMetadata 2', state: 'int32 3', exitCode: 'int32 7', reason: 'string 10', message: 'string 11', logPath: 'string 15' },
  ContainerStatusResponse: { status: 'ContainerStatus 1', info: 'map 2' },
  PodSandboxStatusRequest: { podSandboxId: 'string 1', verbose: 'bool 2' },
  PodSandboxStatus: { id: 'string 1', metadata: 'PodSandboxMetadata 2', state: 'int32 3' },
  PodSandboxStatusResponse: { status: 'PodSandboxStatus 1', info: 'map 2' },
  ListContainersRequest: {},
  Container: { id: 'string 1', podSandboxId: 'string 2', metadata: 'ContainerMetadata 3', state: 'int32 6', labels: 'map 8' },
  ListContainersResponse: { containers: 'repeated Container 1' },
};

function field(spec: string): protobuf.IField | protobuf.IMapField {
  const words = spec.split(' ');
  const id = Number(words.at(-1));
  if (words[0] === 'map') return { keyType: 'string', type: 'string', id };
  return words[0] === 'repeated' ? { rule: 'repeated', type: words[1] ?? '', id } : { type: words[0] ?? '', id };
}

export const CRI = protobuf.Root.fromJSON({
  nested: Object.fromEntries(Object.entries(MESSAGES).map(([name, fields]) => [
    name, { fields: Object.fromEntries(Object.entries(fields).map(([key, spec]) => [key, field(spec)])) },
  ])),
});
