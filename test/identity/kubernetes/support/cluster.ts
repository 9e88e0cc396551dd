/** The part of an API server that kbtop talks to: pods to list and to watch, with every way to go wrong. */
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { until } from './clock.ts';
import { type Asked, sendJson, TestServer } from './server.ts';

export interface Pod {
  readonly kind?: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string; readonly resourceVersion?: string; readonly labels?: Record<string, string>; readonly ownerReferences?: readonly object[]; readonly creationTimestamp?: string };
  readonly spec?: object;
  readonly status?: object;
}

const fixtures = join(import.meta.dirname, '../fixtures');
export const fixture = (name: string): string => readFileSync(join(fixtures, name), 'utf8');
export const recordedPods = (): Pod[] => (JSON.parse(fixture('pods.json')) as { items: Pod[] }).items;

export const CID = (n: number): string => n.toString(16).padStart(64, '0');

/** A pod with one running container. */
export const pod = (name: string, uid: string, container: number | null = null, version = '1'): Pod => ({
  metadata: { name, namespace: 'shop', uid, resourceVersion: version, labels: { app: name } },
  spec: { nodeName: 'node1', containers: [{ name: 'app', image: 'app:1' }] },
  status: { phase: 'Running', containerStatuses: container === null ? [] : [{ name: 'app', image: 'app:1', ready: true, restartCount: 0, state: { running: {} }, containerID: `containerd://${CID(container)}` }] },
});

export const bookmark = (version: string): object => ({ type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: version } } });

/** One watch that is open. */
export class Watch {
  readonly request: Asked;
  readonly #response: ServerResponse;
  readonly #server: TestServer;

  constructor(server: TestServer, request: Asked, response: ServerResponse) {
    this.#server = server;
    this.request = request;
    this.#response = response;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
  }

  get from(): string | null {
    return this.request.url.searchParams.get('resourceVersion');
  }

  send(...events: readonly object[]): void {
    this.raw(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  }

  raw(bytes: string | Uint8Array): void {
    this.#response.write(bytes);
  }

  end(): void {
    this.#response.end();
  }

  /** The connection breaks where it stands. */
  reset(): void {
    this.#server.reset(this.#response);
  }
}

type Refusal = (request: Asked, response: ServerResponse) => boolean;

export class TestCluster {
  readonly server: TestServer;
  pods: Pod[] = [];
  version = '100';
  readonly watches: Watch[] = [];
  /** Each is asked until it says true, which means that it has answered; then the next requests are ordinary again. */
  readonly refusals: Refusal[] = [];
  /** Answers every request, as long as it is set. */
  refuse: Refusal | null = null;
  /** Pods in a page, whatever is asked for. */
  pageSize = Number.POSITIVE_INFINITY;
  nodes: string[] | null = ['node1'];

  constructor(server: TestServer = new TestServer(() => {})) {
    this.server = server;
    server.handle = (request, response) => this.#handle(request, response);
  }

  #handle(request: Asked, response: ServerResponse): void {
    if (this.refuse?.(request, response)) return;
    if (this.refusals[0]?.(request, response)) {
      this.refusals.shift();
      return;
    }
    const { pathname, searchParams } = request.url;
    if (pathname.startsWith('/api/v1/nodes/')) {
      const name = pathname.slice('/api/v1/nodes/'.length);
      if (this.nodes === null) sendJson(response, { kind: 'Status', message: 'nodes is forbidden', code: 403 }, 403);
      else if (this.nodes.includes(name)) sendJson(response, { kind: 'Node', metadata: { name } });
      else sendJson(response, { kind: 'Status', message: `nodes "${name}" not found`, code: 404 }, 404);
    } else if (!pathname.endsWith('/api/v1/pods')) {
      sendJson(response, { kind: 'Status', code: 404 }, 404);
    } else if (searchParams.get('watch') === 'true') {
      this.watches.push(new Watch(this.server, request, response));
    } else {
      const start = Number(searchParams.get('continue') ?? 0);
      const end = start + this.pageSize;
      sendJson(response, { kind: 'PodList', metadata: { resourceVersion: this.version, ...(end < this.pods.length && { continue: String(end) }) }, items: this.pods.slice(start, end) });
    }
  }

  get lists(): Asked[] {
    return this.server.asked.filter(({ url }) => url.pathname.endsWith('/pods') && !url.searchParams.has('watch'));
  }

  /** The watch that was opened as the nth, from 1. */
  async watch(n: number): Promise<Watch> {
    await until(`watch ${n}`, () => this.watches.length >= n);
    return this.watches[n - 1] as Watch;
  }
}

/** Answers one request with a status, as a Kubernetes Status or as it is. */
export const status = (code: number, body: unknown = { kind: 'Status', status: 'Failure', message: `status ${code}`, code }, headers: Record<string, string> = {}): Refusal => (_, response) => {
  sendJson(response, body, code, headers);
  return true;
};
