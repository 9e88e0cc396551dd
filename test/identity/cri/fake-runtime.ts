/** A container runtime in this process: CRI over a unix socket, with what a real node told (containerd.json, cri-o.json). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall, type UntypedServiceImplementation } from '@grpc/grpc-js';
import protobuf from 'protobufjs/light.js';
import { MESSAGES, METHODS } from '../../../src/identity/cri/messages.ts';

export interface WireSandbox {
  readonly id: string;
  readonly metadata?: { readonly name: string; readonly uid: string; readonly namespace: string; readonly attempt?: number };
  readonly state?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface WireContainer {
  readonly id: string;
  readonly podSandboxId?: string;
  readonly metadata?: { readonly name: string };
  readonly image?: { readonly image?: string; readonly userSpecifiedImage?: string };
  readonly labels?: Readonly<Record<string, string>>;
  /** What ContainerStatus tells of its image. */
  readonly statusImage?: string;
}

export interface Node {
  readonly sandboxes: WireSandbox[];
  readonly containers: WireContainer[];
}

type Method = keyof typeof METHODS;
interface Request {
  readonly filter?: { readonly id?: string; readonly labelSelector?: Readonly<Record<string, string>> };
  readonly containerId?: string;
}

/** What a node with this runtime told. */
export function recorded(runtime: 'containerd' | 'cri-o'): Node {
  return JSON.parse(readFileSync(join(import.meta.dirname, `${runtime}.json`), 'utf8')) as Node;
}

export const KUBELET_LABELS = (namespace: string, pod: string, uid: string): Record<string, string> =>
  ({ 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.name': pod, 'io.kubernetes.pod.uid': uid });

const types = protobuf.Root.fromJSON({ nested: MESSAGES });

function matches({ id, labels = {} }: { readonly id: string; readonly labels?: Readonly<Record<string, string>> }, filter: Request['filter']): boolean {
  if (filter?.id && filter.id !== id) return false;
  return Object.entries(filter?.labelSelector ?? {}).every(([key, value]) => labels[key] === value);
}

export class FakeRuntime {
  readonly path: string;
  readonly node: Node;
  name = 'containerd';
  images: readonly { readonly id: string; readonly repoTags?: readonly string[]; readonly repoDigests?: readonly string[] }[] = [];
  /** Every call so far, in order. */
  readonly calls: { readonly method: Method; readonly request: Request }[] = [];
  /** Answers other than the node's: an error, bytes of a message, or 'hold' for none at all. */
  readonly instead = new Map<Method, { readonly code: number; readonly details: string } | Buffer | 'hold'>();
  /** Before each answer, milliseconds. */
  delayMs = 0;
  readonly #server = new Server();

  constructor(path: string, node: Node = { sandboxes: [], containers: [] }) {
    this.path = path;
    this.node = node;
  }

  async listen(): Promise<this> {
    for (const [service, methods] of Object.entries(Object.groupBy(Object.keys(METHODS) as Method[], (method) => METHODS[method].split('/')[1] ?? ''))) {
      this.#serve(service, methods ?? []);
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(`unix:${this.path}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
    });
    return this;
  }

  #serve(service: string, methods: readonly Method[]): void {
    const definition = Object.fromEntries(methods.map((method) => [method, {
      path: `/${service}/${method}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (value: Buffer) => value,
      requestDeserialize: (bytes: Buffer) => types.lookupType(`${method}Request`).decode(bytes) as unknown as Request,
      responseSerialize: (value: object | Buffer) => (Buffer.isBuffer(value) ? value : Buffer.from(types.lookupType(`${method}Response`).encode(value).finish())),
      responseDeserialize: (bytes: Buffer) => bytes,
    }]));
    const handlers: UntypedServiceImplementation = Object.fromEntries(methods.map((method) => [method, (call: ServerUnaryCall<Request, object>, done: sendUnaryData<object>) => {
      this.calls.push({ method, request: call.request });
      const instead = this.instead.get(method);
      if (instead === 'hold') return;
      if (this.delayMs > 0) setTimeout(() => this.#answer(method, call.request, instead, done), this.delayMs);
      else this.#answer(method, call.request, instead, done);
    }]));
    this.#server.addService(definition, handlers);
  }

  #answer(method: Method, request: Request, instead: { readonly code: number; readonly details: string } | Buffer | undefined, done: sendUnaryData<object>): void {
    if (Buffer.isBuffer(instead)) return done(null, instead);
    if (instead) return done(instead);
    const { sandboxes, containers } = this.node;
    if (method === 'Version') return done(null, { version: '0.1.0', runtimeName: this.name, runtimeVersion: '1.6.20', runtimeApiVersion: 'v1' });
    if (method === 'ListPodSandbox') return done(null, { items: sandboxes.filter((one) => matches(one, request.filter)) });
    if (method === 'ListContainers') return done(null, { containers: containers.filter((one) => matches(one, request.filter)) });
    if (method === 'ListImages') return done(null, { images: this.images });
    const container = containers.find(({ id }) => id === request.containerId);
    if (!container) return done({ code: 5, details: 'an error occurred when try to find container: not found' });
    return done(null, { status: { id: container.id, image: { image: container.statusImage ?? container.image?.image ?? '' } } });
  }

  /** How often a method was called; 'whole': without a filter. */
  count(method: Method, which: 'all' | 'whole' = 'all'): number {
    return this.calls.filter((call) => call.method === method && (which === 'all' || !call.request.filter)).length;
  }

  close(): void {
    this.#server.forceShutdown();
  }
}
