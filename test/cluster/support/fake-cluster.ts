/**
 * An API server and the kubelets behind it, over real TLS: as much of them as kubectl kbtop meets. A pod's main process and
 * what is run in it are real processes of this machine, with the environment that the pod's object gives them.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { Selector } from '../../../src/frame/selector.ts';
import { sendJson, serverCertificate } from '../../identity/kubernetes/support/server.ts';
import { attachTo, execOnPipes, execOnTerminal, type Running } from './sockets.ts';

export interface Meta {
  name: string;
  namespace?: string;
  uid: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  resourceVersion?: string;
  deletionTimestamp?: string;
  creationTimestamp?: string;
  ownerReferences?: readonly object[];
}

interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } } }[];
  readonly [field: string]: unknown;
}

export interface Pod {
  readonly kind: 'Pod';
  readonly metadata: Meta;
  readonly spec: { readonly nodeName?: string; readonly containers: readonly Container[]; readonly [field: string]: unknown };
  status: Record<string, unknown>;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export const failure = (code: number, reason: string, message: string): object => ({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code });

/** Answers a request that is not to be answered as usual. @returns whether it did */
type Refusal = (seen: Seen, response: ServerResponse) => boolean;

const key = (namespace: string, name: string): string => `${namespace}/${name}`;

export class FakeCluster {
  port = 0;
  readonly seen: Seen[] = [];
  readonly nodes = new Map<string, object>();
  readonly pods = new Map<string, Pod>();
  readonly events: { readonly message: string; readonly involvedObject: { readonly uid: string }; readonly type: string; readonly lastTimestamp: string }[] = [];
  readonly refusals: Refusal[] = [];
  /** Subprotocols it speaks, best first. */
  protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
  /** What a kubelet makes of a new pod; the usual one starts it. */
  kubelet: (pod: Pod) => void = (pod) => this.start(pod);
  /** Where a kubelet's streams are, if not here; the request goes on to that URL as it is. */
  backend: ((seen: Seen, pod: Pod, verb: string) => Promise<string>) | null = null;
  /** Ends a pod that was started otherwise than here. */
  terminate: ((pod: Pod, graceSeconds: number) => Promise<void>) | null = null;
  /** Directory in which commands of pods are found first. */
  path = process.env['PATH'] ?? '';
  /** Everything that was ever run in pods by exec, in order. */
  readonly execs: { readonly command: readonly string[]; readonly running: Running; readonly socket: WebSocket; readonly query: URLSearchParams }[] = [];
  /** Main processes, by key of their pod. */
  readonly mains = new Map<string, ChildProcessWithoutNullStreams>();
  /** Connections that were upgraded. */
  readonly streams = new Set<WebSocket>();
  readonly #watches = new Set<{ readonly name: string; readonly response: ServerResponse }>();
  readonly #sockets = new Set<Socket>();
  readonly #upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: (offered) => this.protocols.find((one) => offered.has(one)) ?? false });
  #server: Server | null = null;
  #version = 100;

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  async listen(): Promise<this> {
    const server = createServer({ ...serverCertificate, keepAliveTimeout: 0 }, (message, response) => void this.#answer(message, response));
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    server.on('tlsClientError', () => {});
    server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(message, socket, head));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** As a machine that is switched off; its pods' processes end, too. */
  async stop(): Promise<void> {
    for (const main of this.mains.values()) main.kill('SIGKILL');
    for (const { running } of this.execs) if (!running.ended) kill(running.pid);
    this.disconnect();
    const server = this.#server;
    this.#server = null;
    if (server) await new Promise((resolve) => { server.close(resolve); });
    this.#upgrades.close();
  }

  /** Every connection breaks. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  addNode(name: string, status: object = { conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: { operatingSystem: 'linux' } }): void {
    this.nodes.set(name, { kind: 'Node', apiVersion: 'v1', metadata: { name, uid: `node-${name}` }, status });
  }

  /** A pod that was there before. */
  addPod(namespace: string, name: string, { node = 'node1', labels = {}, status = {}, ...metadata }: { readonly node?: string | null; readonly labels?: Record<string, string>; readonly status?: object; readonly ownerReferences?: readonly object[]; readonly creationTimestamp?: string; readonly deletionTimestamp?: string; readonly annotations?: Record<string, string> } = {}): Pod {
    const pod: Pod = {
      kind: 'Pod', metadata: { name, namespace, uid: randomUUID(), labels, creationTimestamp: '2026-11-21T02:00:00Z', resourceVersion: String(++this.#version), ...metadata },
      spec: { ...(node !== null && { nodeName: node }), containers: [{ name: 'app', image: 'app:1' }, { name: 'sidecar', image: 'side:1' }] },
      status: { phase: 'Running', conditions: [], containerStatuses: ['app', 'sidecar'].map((one) => ({ name: one, ready: true, restartCount: 0, state: { running: {} } })), ...status },
    };
    this.pods.set(key(namespace, name), pod);
    return pod;
  }

  /** The debug pods there are. */
  get debugPods(): Pod[] {
    return [...this.pods.values()].filter(({ metadata }) => metadata.labels?.['kbtop.io/session'] !== undefined);
  }

  of(method: string): Seen[] {
    return this.seen.filter((one) => one.method === method);
  }

  /** Give it another status, and tell who watches. */
  update(pod: Pod, status: object): void {
    pod.status = { ...pod.status, ...status };
    this.#tell('MODIFIED', pod);
  }

  #tell(type: string, pod: Pod): void {
    pod.metadata.resourceVersion = String(++this.#version);
    for (const { name, response } of this.#watches) if (name === pod.metadata.name) response.write(`${JSON.stringify({ type, object: pod })}\n`);
  }

  /** Environment of a process in the pod. */
  environmentOf(pod: Pod): NodeJS.ProcessEnv {
    const fields: Readonly<Record<string, string | undefined>> = { 'spec.nodeName': pod.spec.nodeName };
    const own = (pod.spec.containers[0]?.env ?? []).map(({ name, value, valueFrom }) => [name, value ?? fields[valueFrom?.fieldRef.fieldPath ?? ''] ?? ''] as const);
    return { PATH: this.path, HOME: '/nonexistent', ...Object.fromEntries(own) };
  }

  /** Start its main process, as a kubelet would. */
  start(pod: Pod): void {
    const [file = '', ...args] = pod.spec.containers[0]?.command ?? [];
    this.update(pod, { startTime: new Date().toISOString(), containerStatuses: [{ name: 'kbtop', state: { waiting: { reason: 'ContainerCreating' } } }] });
    const main = spawn(file, args, { env: this.environmentOf(pod), stdio: ['pipe', 'pipe', 'pipe'] });
    main.stdin.on('error', () => {});
    main.stderr.resume();
    this.mains.set(key(pod.metadata.namespace ?? '', pod.metadata.name), main);
    main.on('spawn', () => this.update(pod, { phase: 'Running', containerStatuses: [{ name: 'kbtop', ready: true, state: { running: { startedAt: new Date().toISOString() } } }] }));
    main.on('close', (code) => {
      const exitCode = code ?? 137;
      this.update(pod, { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [{ name: 'kbtop', state: { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } } }] });
    });
  }

  /** As a kubelet ends one, for whatever reason; what was run by exec ends only by itself here. */
  end(pod: Pod, graceSeconds: number): void {
    const main = this.mains.get(key(pod.metadata.namespace ?? '', pod.metadata.name));
    if (!main || main.exitCode !== null || main.signalCode !== null) return;
    main.kill('SIGTERM');
    setTimeout(() => main.kill('SIGKILL'), graceSeconds * 1_000).unref();
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of message) text += String(chunk);
    const url = new URL(message.url ?? '/', 'http://test');
    const seen: Seen = { method: message.method ?? '', path: url.pathname, query: url.searchParams, headers: message.headers, body: text === '' ? null : (JSON.parse(text) as unknown) };
    this.seen.push(seen);
    response.on('error', () => {});
    if (this.refusals.some((refuse) => refuse(seen, response))) return;
    const [, namespace, kind, name] = /^\/api\/v1\/namespaces\/([^/]+)\/(pods|events)(?:\/([^/]+))?$/.exec(seen.path) ?? [];
    const [, node] = /^\/api\/v1\/nodes\/([^/]+)$/.exec(seen.path) ?? [];
    if (node !== undefined) return this.#one(response, this.nodes.get(node), 'nodes', node);
    if (seen.path === '/api/v1/nodes') return sendJson(response, { kind: 'NodeList', metadata: {}, items: [...this.nodes.values()] });
    if (seen.path === '/api/v1/pods') return this.#list(seen, response, null);
    if (kind === 'events') return sendJson(response, { kind: 'EventList', metadata: {}, items: this.events.filter((event) => (seen.query.get('fieldSelector') ?? '').includes(event.involvedObject.uid)) });
    if (kind !== 'pods' || namespace === undefined) return sendJson(response, failure(404, 'NotFound', 'the server could not find the requested resource'), 404);
    if (name === undefined && seen.method === 'POST') return this.#create(seen, response, namespace);
    if (name === undefined && seen.query.get('watch') === 'true') return this.#watch(seen, response);
    if (name === undefined) return this.#list(seen, response, namespace);
    if (seen.method === 'DELETE') return this.#delete(seen, response, namespace, name);
    return this.#one(response, this.pods.get(key(namespace, name)), 'pods', name);
  }

  #one(response: ServerResponse, found: object | undefined, kind: string, name: string): void {
    if (found) sendJson(response, found);
    else sendJson(response, failure(404, 'NotFound', `${kind} "${name}" not found`), 404);
  }

  #list({ query }: Seen, response: ServerResponse, namespace: string | null): void {
    const selector = Selector.parse(query.get('labelSelector') ?? '');
    const named = /metadata\.name=([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1];
    const items = [...this.pods.values()].filter(({ metadata }) => (namespace === null || metadata.namespace === namespace) && selector.matches(metadata.labels ?? {}) && (named === undefined || metadata.name === named));
    sendJson(response, { kind: 'PodList', metadata: { resourceVersion: String(this.#version) }, items });
  }

  #watch({ query }: Seen, response: ServerResponse): void {
    const name = /metadata\.name=([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1] ?? '';
    const watch = { name, response };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    // What has happened between the client's version and now.
    for (const pod of this.pods.values()) if (pod.metadata.name === name && Number(pod.metadata.resourceVersion) > Number(query.get('resourceVersion'))) response.write(`${JSON.stringify({ type: 'MODIFIED', object: pod })}\n`);
  }

  #create({ body }: Seen, response: ServerResponse, namespace: string): void {
    const { metadata, spec } = body as Pod;
    if (this.pods.has(key(namespace, metadata.name))) return sendJson(response, failure(409, 'AlreadyExists', `pods "${metadata.name}" already exists`), 409);
    const pod: Pod = { kind: 'Pod', metadata: { ...metadata, namespace, uid: randomUUID(), creationTimestamp: new Date().toISOString(), resourceVersion: String(++this.#version) }, spec, status: { phase: 'Pending' } };
    this.pods.set(key(namespace, metadata.name), pod);
    sendJson(response, pod, 201);
    setTimeout(() => this.kubelet(pod), 20);
  }

  #delete({ body }: Seen, response: ServerResponse, namespace: string, name: string): void {
    const pod = this.pods.get(key(namespace, name));
    const { gracePeriodSeconds = 30, preconditions } = (body ?? {}) as { gracePeriodSeconds?: number; preconditions?: { uid?: string } };
    if (!pod) return sendJson(response, failure(404, 'NotFound', `pods "${name}" not found`), 404);
    if (preconditions?.uid !== undefined && preconditions.uid !== pod.metadata.uid) {
      return sendJson(response, failure(409, 'Conflict', `Operation cannot be fulfilled on Pod "${name}": Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${pod.metadata.uid}`), 409);
    }
    this.remove(pod, gracePeriodSeconds);
    sendJson(response, pod);
  }

  /** Deleted, by whomever. */
  remove(pod: Pod, graceSeconds: number): void {
    const place = key(pod.metadata.namespace ?? '', pod.metadata.name);
    const main = this.mains.get(place);
    pod.metadata.deletionTimestamp = new Date().toISOString();
    const gone = (): void => {
      this.pods.delete(place);
      this.#tell('DELETED', pod);
    };
    if (this.terminate) {
      this.#tell('MODIFIED', pod);
      void this.terminate(pod, graceSeconds).then(gone);
      return;
    }
    if (!main || main.exitCode !== null || main.signalCode !== null) return gone();
    this.#tell('MODIFIED', pod);
    main.on('close', gone);
    this.end(pod, graceSeconds);
  }

  #upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(message.url ?? '/', 'http://test');
    const seen: Seen = { method: 'GET', path: url.pathname, query: url.searchParams, headers: message.headers, body: null };
    this.seen.push(seen);
    socket.on('error', () => {});
    const [, namespace = '', name = '', verb] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/(exec|attach)$/.exec(seen.path) ?? [];
    let refused: { readonly code: number; readonly body: object } | null = null;
    const answer = { writeHead: () => {}, end: () => {} } as unknown as ServerResponse;
    for (const refuse of this.refusals) {
      const captured = { ...answer, writeHead: (code: number) => { refused = { code, body: {} }; }, end: (body: string) => { refused = { code: refused?.code ?? 500, body: JSON.parse(body) as object }; } };
      if (!refuse(seen, captured as unknown as ServerResponse)) continue;
      // Taken and never answered.
      if (refused === null) return;
      break;
    }
    const pod = this.pods.get(key(namespace, name));
    if (refused === null && !pod) refused = { code: 404, body: failure(404, 'NotFound', `pods "${name}" not found`) };
    if (refused !== null) {
      const { code, body } = refused as { readonly code: number; readonly body: object };
      const text = JSON.stringify(body);
      socket.end(`HTTP/1.1 ${code} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`);
      return;
    }
    if (this.backend) {
      void this.backend(seen, pod as Pod, verb ?? '').then((backend) => passOn(message, socket, head, backend));
      return;
    }
    this.#upgrades.handleUpgrade(message, socket, head, (stream) => this.#connected(stream, seen, pod as Pod, verb ?? ''));
  }

  #connected(stream: WebSocket, { query }: Seen, pod: Pod, verb: string): void {
    this.streams.add(stream);
    stream.on('close', () => this.streams.delete(stream));
    stream.on('error', () => {});
    // The greeting: an empty message on the lowest channel.
    stream.send(Buffer.of(1), { binary: true });
    if (verb === 'attach') {
      const main = this.mains.get(key(pod.metadata.namespace ?? '', pod.metadata.name));
      if (main) attachTo(stream, main);
      return;
    }
    const command = query.getAll('command');
    const env = this.environmentOf(pod);
    const running = query.get('tty') === 'true' ? execOnTerminal(stream, command, env) : execOnPipes(stream, command, env, query.get('stdin') === 'true');
    this.execs.push({ command, running, socket: stream, query });
  }
}

/** As the API server does for a kubelet that speaks the subprotocol itself. */
function passOn(message: IncomingMessage, socket: Duplex, head: Buffer, backend: string): void {
  const onward = request(backend, { headers: message.headers });
  onward.on('error', () => socket.destroy());
  onward.on('response', (response) => {
    socket.write(`HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\nConnection: close\r\n\r\n`);
    response.pipe(socket);
  });
  onward.on('upgrade', (response, upstream, first) => {
    const headers = Object.entries(response.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`).join('');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`);
    socket.write(first);
    upstream.write(head);
    for (const [one, other] of [[socket, upstream], [upstream, socket]] as const) {
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  onward.end();
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // already gone
  }
}
