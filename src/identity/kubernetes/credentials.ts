/**
 * What a request to the cluster needs to be believed, from the KubeConfig of @kubernetes/client-node: it knows certificates,
 * tokens, token files, exec plugins and proxies. Importing this file loads the package.
 */
import { createHash } from 'node:crypto';
import type { Agent as HttpAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
// Not the package's index: that loads the whole generated API with it.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import type { Clock } from './clock.ts';
import { Failure, oneLine } from './failure.ts';
import type { Chosen } from './kubeconfig.ts';
import { PluginRunner } from './plugin.ts';
import { list, object, text } from './shape.ts';

/** Above a plugin's own limit; milliseconds. */
const LONGEST_WAIT_MS = 45_000;

export interface Pass {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** user:password; null for every other way. */
  readonly auth: string | null;
  readonly tls: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;
  /** Changes when `tls` does. */
  readonly tlsStamp: string;
  /** Connects through the proxy that the cluster names; null without one. */
  readonly proxyAgent: HttpAgent | null;
}

/** kubectl's --as and --as-group: the package sends but the first. */
function impersonation(user: Chosen['user']): Record<string, string | string[]> {
  const groups = list(user['as-groups']).filter((group) => typeof group === 'string');
  const uid = text(user['as-uid']);
  return { ...(groups.length > 0 && { 'Impersonate-Group': groups }), ...(uid !== null && { 'Impersonate-Uid': uid }) };
}

export class Credentials {
  readonly #chosen: Chosen;
  readonly #clock: Clock;
  readonly #runner: PluginRunner;
  #config: KubeConfig;

  constructor(chosen: Chosen, clock: Clock) {
    this.#chosen = chosen;
    this.#clock = clock;
    this.#runner = new PluginRunner(chosen, clock);
    this.#config = this.#load();
  }

  /** One cluster, one user, one context: what the files say beyond was settled before (see kubeconfig.ts). */
  #load(): KubeConfig {
    const config = new KubeConfig();
    // The package refuses http:// unless TLS need not be verified, which would refuse kubectl proxy.
    const plain = this.#chosen.server.startsWith('http:') ? { 'insecure-skip-tls-verify': true } : {};
    config.loadFromString(JSON.stringify({
      clusters: [{ name: 'cluster', cluster: { ...this.#chosen.cluster, ...plain, server: this.#chosen.server } }],
      users: [{ name: 'user', user: this.#chosen.user }],
      contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
      'current-context': 'context',
    }));
    for (const authenticator of config['authenticators'] as unknown[]) {
      if (authenticator instanceof ExecAuth) authenticator['execFn'] = this.#runner.run as (typeof authenticator)['execFn'];
    }
    return config;
  }

  /** Forget what was read, cached or given by a plugin. */
  renew(): void {
    this.#config = this.#load();
  }

  /** Reads files and runs plugins as often as they need it. @throws Failure of kind configuration */
  async pass(): Promise<Pass> {
    const { tokenEnds, label } = this.#chosen;
    if (tokenEnds !== null && tokenEnds <= Date.now()) {
      throw new Failure('configuration', `the OpenID token of ${label} ended ${new Date(tokenEnds).toISOString()}`, { fix: 'run kubectl with that context once, for it gets a new one and kbtop reads it' });
    }
    const options: RequestOptions = {};
    // An agent that it keeps would keep a certificate that has been renewed since.
    this.#config['agentCache'].clear();
    let stop = (): void => {};
    const late = new Promise<never>((_, reject) => {
      stop = this.#clock.after(LONGEST_WAIT_MS, () => reject(new Error(`no answer in ${LONGEST_WAIT_MS / 1_000} s`)));
    });
    try {
      await Promise.race([this.#config.applyToHTTPSOptions(options), late]);
    } catch (error) {
      // A plugin's broken answer is in its cache by now.
      this.renew();
      throw this.#failure(error);
    } finally {
      stop();
    }
    const { ca, cert, key, servername, rejectUnauthorized, auth } = options;
    const headers: Record<string, string | string[]> = impersonation(this.#chosen.user);
    // A file's last newline is not part of the token.
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim();
    // Names and passwords would be sent as "null:null".
    const basic = text(this.#chosen.user['username']) === null ? null : auth ?? null;
    const tls = { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }), ...(servername && { servername }), ...(rejectUnauthorized !== undefined && { rejectUnauthorized }) };
    const tlsStamp = createHash('sha256').update(JSON.stringify([ca, cert, key].map(String))).update(JSON.stringify([servername, rejectUnauthorized])).digest('hex');
    const proxyAgent = text(this.#chosen.cluster['proxy-url']) === null ? null : (options.agent as HttpAgent);
    return { headers, auth: basic, tls, tlsStamp, proxyAgent };
  }

  #failure(error: unknown): Failure {
    const message = oneLine(error instanceof Error ? error.message : String(error));
    const command = text(object(this.#chosen.user['exec'])['command']);
    if (command === null) return new Failure('configuration', `credentials of ${this.#chosen.label}: ${message}`, { fix: 'check the user of that context with kubectl config view' });
    const why = this.#runner.ended ?? ((error as { readonly code?: unknown }).code === 'ENOENT' ? 'is not installed' : error instanceof SyntaxError || error instanceof TypeError ? 'printed no ExecCredential' : `failed: ${message === '' ? 'no message' : message}`);
    return new Failure('configuration', `exec plugin ${command} of ${this.#chosen.label} ${why}`, { fix: `run it by hand${this.#chosen.person ? ` as ${this.#chosen.person.name}` : ''} to see why` });
  }

  /** Ends a plugin that runs. */
  close(): void {
    this.#runner.close();
  }
}
