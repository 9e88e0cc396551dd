/**
 * The CRI client: gRPC over a unix socket. Loads @grpc/grpc-js and protobufjs, so it is only ever imported once a
 * socket is known to accept connections.
 */
import type { Socket } from 'node:net';
import { CallCredentials, ChannelCredentials, type ChannelOptions, Client, type experimental, type ServiceError, setLogger } from '@grpc/grpc-js';
import protobuf from 'protobufjs/light.js';
import { MESSAGES, METHODS, SANDBOX_READY } from './messages.ts';
import { CallError, Code, type Container, type Filter, imageIdOf, type Runtime, type Sandbox, type Version } from './runtime.ts';

/** Largest answer that is read, bytes: what kubelet and the runtimes themselves allow, some 20,000 containers. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const KUBELET_LABEL = 'io.kubernetes.';
const POD_NAME_LABEL = 'io.kubernetes.pod.name';
const POD_NAMESPACE_LABEL = 'io.kubernetes.pod.namespace';
const POD_UID_LABEL = 'io.kubernetes.pod.uid';

const CHANNEL: ChannelOptions = {
  'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
  // Whoever made the client makes another one when a call fails; gRPC's own attempts in between are rare.
  'grpc.initial_reconnect_backoff_ms': 1_000,
  'grpc.max_reconnect_backoff_ms': 30_000,
  'grpc.enable_retries': 0,
  // Nothing but the socket: no proxy, no DNS, no connections shared with others.
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
};

const types = protobuf.Root.fromJSON({ nested: MESSAGES });

interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
}

type Labels = Readonly<Record<string, string>>;

interface Image {
  readonly image: string;
  readonly userSpecifiedImage: string;
}

/** Messages as read; a message within one is absent when it was not sent. */
interface Answers {
  Version: { readonly runtimeName: string; readonly runtimeVersion: string };
  ListPodSandbox: { readonly items: readonly { readonly id: string; readonly metadata?: Metadata; readonly state: number; readonly labels: Labels }[] };
  ListContainers: {
    readonly containers: readonly { readonly id: string; readonly podSandboxId: string; readonly metadata?: Metadata; readonly image?: Image; readonly labels: Labels }[];
  };
  ListImages: { readonly images: readonly { readonly id: string; readonly repoTags: readonly string[]; readonly repoDigests: readonly string[] }[] };
  ContainerStatus: { readonly status?: { readonly image?: Image } };
}

const ownLabels = (labels: Labels): Labels => Object.fromEntries(Object.entries(labels).filter(([key]) => !key.startsWith(KUBELET_LABEL)));

const filterOf = (filter: Filter): object => {
  if (filter === null) return {};
  return { filter: 'id' in filter ? { id: filter.id } : { labelSelector: { [POD_UID_LABEL]: filter.podUid } } };
};

/**
 * Plain connections that can be hung up: gRPC forgets a connection whose peer never says a word without closing it, so
 * that every attempt at a runtime that hangs would leave a file open.
 */
class Connections extends ChannelCredentials {
  readonly #sockets = new Set<Socket>();

  override _isSecure(): boolean {
    return false;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(): experimental.SecureConnector {
    const none = CallCredentials.createEmpty();
    return {
      connect: (socket) => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        return Promise.resolve({ socket, secure: false });
      },
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => none,
      destroy: () => {},
    };
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

class GrpcRuntime implements Runtime {
  readonly #connections = new Connections();
  readonly #client: Client;
  readonly #calls = new Set<{ cancel(): void }>();
  #closed = false;

  constructor(address: string) {
    this.#client = new Client(`unix:${address}`, this.#connections, CHANNEL);
  }

  #call<Method extends keyof Answers>(method: Method, request: object, ms: number): Promise<Answers[Method]> {
    const [requestType, answerType] = [types.lookupType(`${method}Request`), types.lookupType(`${method}Response`)];
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new CallError(Code.CANCELLED, 'the connection is closed');
      const call = this.#client.makeUnaryRequest(
        METHODS[method],
        (message: object) => Buffer.from(requestType.encode(message).finish()),
        (bytes: Buffer) => answerType.decode(bytes) as unknown as Answers[Method],
        request,
        { deadline: Date.now() + ms },
        (error: ServiceError | null, answer?: Answers[Method]) => {
          this.#calls.delete(call);
          if (error) reject(new CallError(error.code, error.details));
          else if (answer === undefined) reject(new CallError(Code.INTERNAL, 'no answer, and no error'));
          else resolve(answer);
        },
      );
      this.#calls.add(call);
    });
  }

  async version(ms: number): Promise<Version> {
    const { runtimeName, runtimeVersion } = await this.#call('Version', {}, ms);
    return { name: runtimeName, version: runtimeVersion };
  }

  async sandboxes(filter: Filter, ms: number): Promise<Sandbox[]> {
    const { items } = await this.#call('ListPodSandbox', filterOf(filter), ms);
    return items.map(({ id, metadata, state, labels }) => ({
      id, namespace: metadata?.namespace ?? '', pod: metadata?.name ?? '', podUid: metadata?.uid ?? '', attempt: metadata?.attempt ?? 0,
      ready: state === SANDBOX_READY, labels: ownLabels(labels),
    }));
  }

  async containers(filter: Filter, ms: number): Promise<Container[]> {
    const { containers } = await this.#call('ListContainers', filterOf(filter), ms);
    return containers.map(({ id, podSandboxId, metadata, image, labels }) => ({
      id, sandboxId: podSandboxId, name: metadata?.name ?? '', image: image?.userSpecifiedImage || image?.image || '',
      namespace: labels[POD_NAMESPACE_LABEL] ?? '', pod: labels[POD_NAME_LABEL] ?? '', podUid: labels[POD_UID_LABEL] ?? '',
    }));
  }

  async images(ms: number): Promise<Map<string, string>> {
    const { images } = await this.#call('ListImages', {}, ms);
    const named = new Map<string, string>();
    for (const { id, repoTags: [tag], repoDigests: [digest] } of images) {
      const [imageId, name] = [imageIdOf(id), tag ?? digest];
      if (imageId !== null && name !== undefined) named.set(imageId, name);
    }
    return named;
  }

  async imageOf(containerId: string, ms: number): Promise<string | null> {
    const { status } = await this.#call('ContainerStatus', { containerId }, ms);
    const image = status?.image?.userSpecifiedImage || status?.image?.image || '';
    return image === '' || imageIdOf(image) !== null ? null : image;
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
    this.#client.close();
    this.#connections.hangUp();
  }
}

/** Make a client; it connects with its first call. @param address path of a socket, at most 107 bytes @throws Error */
export function connect(address: string, debug: (text: string) => void): Runtime {
  // gRPC would write to stderr, over the screen.
  const log = (...parts: unknown[]): void => debug(`cri: ${parts.join(' ')}`);
  setLogger({ error: log, info: log, debug: log });
  return new GrpcRuntime(address);
}
