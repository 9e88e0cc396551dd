/**
 * Runs the exec plugins of kubeconfig users for the package's ExecAuth, which would wait for one for ever, let it ask on
 * the terminal that kbtop draws on, and take any amount of output.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from './clock.ts';
import type { Chosen } from './kubeconfig.ts';
import { list, object, text } from './shape.ts';

/** A plugin may have to ask a cloud provider over a slow line; milliseconds. */
const LONGEST_RUN_MS = 30_000;
const LARGEST_OUTPUT = 1024 * 1024;

/** What a plugin is told about the cluster, when its user asks for that. */
function clusterInfo({ cluster, server }: Chosen): object {
  const extension = list(cluster['extensions']).map(object).find((one) => one['name'] === 'client.authentication.k8s.io/exec');
  return {
    server, 'tls-server-name': cluster['tls-server-name'], 'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
    'certificate-authority-data': cluster['certificate-authority-data'], 'proxy-url': cluster['proxy-url'], config: extension?.['extension'],
  };
}

export class PluginRunner {
  readonly #clock: Clock;
  readonly #chosen: Chosen;
  readonly #running = new Set<() => void>();
  /** Why the last run was ended before it was through; null when it was not. */
  ended: string | null = null;

  constructor(chosen: Chosen, clock: Clock) {
    this.#chosen = chosen;
    this.#clock = clock;
  }

  /** As ExecAuth calls it: spawn() with the command's own environment. */
  readonly run = (command: string, args: readonly string[] | undefined, options: { readonly env?: NodeJS.ProcessEnv }): ChildProcess => {
    this.ended = null;
    const { person } = this.#chosen;
    const exec = object(this.#chosen.user['exec']);
    const info = {
      kind: 'ExecCredential', apiVersion: text(exec['apiVersion']) ?? 'client.authentication.k8s.io/v1',
      spec: { interactive: false, ...(exec['provideClusterInfo'] === true && { cluster: clusterInfo(this.#chosen) }) },
    };
    const child = spawn(command, [...(args ?? [])], {
      env: { ...(options.env ?? process.env), ...(person && { HOME: person.home, USER: person.name, LOGNAME: person.name }), KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group and session of its own: it can be ended with all it started, and has no terminal to ask on.
      detached: true,
      ...(person && { uid: person.uid, gid: person.gid, cwd: '/' }),
    });
    const end = (why: string): void => {
      this.ended = why;
      if (child.pid !== undefined) {
        try {
          process.kill(-child.pid, 'SIGKILL');
        } catch {
          // already gone
        }
      }
      // Whoever it started may hold these open for ever.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const stop = this.#clock.after(LONGEST_RUN_MS, () => end(`did not answer in ${LONGEST_RUN_MS / 1_000} s`));
    let bytes = 0;
    const count = (chunk: string | Buffer): void => {
      bytes += chunk.length;
      if (bytes > LARGEST_OUTPUT) end('printed too much');
    };
    child.stdout.on('data', count);
    child.stderr.on('data', count);
    const close = (): void => end('was ended');
    this.#running.add(close);
    child.on('close', () => {
      stop();
      this.#running.delete(close);
    });
    return child;
  };

  close(): void {
    for (const close of this.#running) close();
  }
}
