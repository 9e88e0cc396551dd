/** A source in a world of its own: a temporary home, its own clock, and what it says kept. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createApiSource } from '../../../../src/identity/kubernetes/api.ts';
import { createKubeletSource } from '../../../../src/identity/kubernetes/kubelet.ts';
import type { SourceOptions } from '../../../../src/identity/options.ts';
import type { NameSource } from '../../../../src/identity/source.ts';
import { ManualClock, until } from './clock.ts';
import { ca, TestServer } from './server.ts';

export class World {
  readonly dir = mkdtempSync(join(tmpdir(), 'kbtop-kubernetes-'));
  readonly clock = new ManualClock();
  readonly env: Record<string, string | undefined> = { HOME: join(this.dir, 'home'), PATH: process.env['PATH'] };
  readonly debug: string[] = [];
  /** Every id that a source said to have news of. */
  readonly changed: string[] = [];
  /** What nobody caught; a process would end of it. */
  readonly #uncaught: unknown[] = [];
  readonly #catch = (reason: unknown): void => void this.#uncaught.push(reason);
  readonly #sources: NameSource[] = [];
  readonly #servers: TestServer[] = [];

  constructor() {
    process.on('unhandledRejection', this.#catch);
  }

  /** @returns the path */
  file(name: string, content: string | object, mode = 0o600): string {
    const path = join(this.dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode });
    return path;
  }

  /** A kubeconfig in the place where it is found without being asked for. */
  kubeconfig(server: string, user: object = { token: 'secret' }, cluster: object = {}): string {
    return this.file('home/.kube/config', kubeconfig(server, user, cluster));
  }

  serve<Server extends TestServer | { readonly server: TestServer }>(server: Server): Server {
    this.#servers.push(server instanceof TestServer ? server : server.server);
    return server;
  }

  options(more: Partial<SourceOptions> = {}): SourceOptions {
    return { hostRoot: join(this.dir, 'host'), runtimeEndpoint: null, kubeconfig: null, context: null, nodeName: 'node1', debug: (text) => void this.debug.push(text), ...more };
  }

  get around(): Parameters<typeof createApiSource>[1] & object {
    return { clock: this.clock, machine: { env: this.env, passwd: join(this.dir, 'passwd'), serviceAccount: join(this.dir, 'serviceaccount') } };
  }

  api(more: Partial<SourceOptions> = {}): NameSource {
    return this.#watch(createApiSource(this.options(more), this.around));
  }

  kubelet(needed: () => boolean = () => true, more: Partial<SourceOptions> = {}): NameSource {
    return this.#watch(createKubeletSource(this.options(more), { needed }, this.around));
  }

  #watch(source: NameSource): NameSource {
    this.#sources.push(source);
    source.onChange((ids) => void this.changed.push(...(ids ?? ['*'])));
    return source;
  }

  /** Throws when a promise was rejected and nobody was there. */
  async close(): Promise<void> {
    for (const source of this.#sources) source.close();
    for (const server of this.#servers) await server.stop();
    rmSync(this.dir, { recursive: true, force: true });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', this.#catch);
    if (this.#uncaught.length > 0) throw new Error(`unhandled: ${this.#uncaught.map(String).join(', ')}`);
  }
}

export const kubeconfig = (server: string, user: object = { token: 'secret' }, cluster: object = {}): object => ({
  apiVersion: 'v1', kind: 'Config', 'current-context': 'test',
  clusters: [{ name: 'test', cluster: { server, ...(server.startsWith('https:') && { 'certificate-authority-data': Buffer.from(ca.cert).toString('base64') }), ...cluster } }],
  users: [{ name: 'test', user }],
  contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
});

export const of = (containerId: string | null, podUid: string | null = null) => ({ containerId, podUid });

export const becomes = (source: NameSource, status: NameSource['state']['status']): Promise<void> => until(`${status}, but ${source.state.status}: ${source.state.reason}`, () => source.state.status === status);
