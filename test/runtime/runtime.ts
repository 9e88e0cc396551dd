/**
 * A real container runtime for tests: containerd with runc, from the distribution's packages, in a mount namespace of
 * its own, so that it finds its usual places there and the machine's own stay untouched. Two ways to look at it:
 * `hostRoot` is a directory that looks like its host's /, and `inside` runs a command where the usual paths are its.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findCommand } from '../../tools/lib/needs.mjs';
import { cleanUp } from './clean-up.ts';
import { configure } from './config.ts';
import { CriClient } from './cri-client.ts';
import { BUSYBOX, BUSYBOX_IMAGE, imageArchive, PAUSE_IMAGE } from './image.ts';
import { COVERED, makePlace, type Place } from './place.ts';

const STARTS_WITHIN_MS = 40_000;
const ENDS_WITHIN_MS = 5_000;
const COMMANDS = ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc', 'unshare', 'nsenter', 'ip', 'mount'];
/** Processes that take pods which they did not make for leftovers, and remove them. */
const KUBELETS = /^(?:kubelet|kubelite|k0s|k3s|rke2)/;

const comm = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
};

/** Why it cannot run here; null when it can. Tests that need it are skipped by name where not. */
export function unavailable(): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  const missing = COMMANDS.find((name) => findCommand(name) === null) ?? (existsSync(BUSYBOX) ? undefined : BUSYBOX);
  if (missing !== undefined) return `${missing} is not installed`;
  if (!existsSync('/sys/fs/cgroup')) return 'no cgroups';
  if (spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' }).status !== 0) return 'no mount namespace can be made';
  const kubelet = readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && KUBELETS.test(comm(pid)));
  return kubelet === undefined ? null : `${comm(kubelet)} runs here and would remove the pods`;
}

/** overlayfs where it works on this file system: not on itself, for one. */
function snapshotter({ directory }: Place): string {
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => join(directory, 'overlay', name));
  for (const path of [lower, upper, work, merged]) mkdirSync(path ?? '', { recursive: true });
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  return spawnSync('unshare', ['--mount', 'mount', '-n', '-t', 'overlay', 'overlay', '-o', options, merged ?? ''], { stdio: 'ignore' }).status === 0 ? 'overlayfs' : 'native';
}

function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
}

/** Resolves with what `probe` resolves with once it neither fails nor gives null. */
async function eventually<T>(what: string, probe: () => Promise<T | null>, gaveUp: () => string | null): Promise<T> {
  const deadline = performance.now() + STARTS_WITHIN_MS;
  for (;;) {
    const [value, failure] = await probe().then((found) => [found, ''] as const, (error: Error) => [null, error.message] as const);
    if (value !== null) return value;
    const reason = gaveUp() ?? (performance.now() > deadline ? failure : null);
    if (reason !== null) throw new Error(`waited in vain for ${what}: ${reason}`);
    await sleep(10);
  }
}

export class Runtime {
  readonly place: Place;
  readonly cri: CriClient;
  readonly snapshotter: string;
  /** 'containerd 1.6.20', say. */
  readonly version: string;
  readonly #containerd: ChildProcess;
  readonly #watchdog: ChildProcess;

  private constructor(parts: { place: Place; cri: CriClient; snapshotter: string; version: string; containerd: ChildProcess; watchdog: ChildProcess }) {
    this.place = parts.place;
    this.cri = parts.cri;
    this.snapshotter = parts.snapshotter;
    this.version = parts.version;
    this.#containerd = parts.containerd;
    this.#watchdog = parts.watchdog;
  }

  /** Start it, with the tests' images. @throws Error with the end of containerd's log; nothing is left then */
  static async start(): Promise<Runtime> {
    const place = makePlace();
    const watchdog = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'watchdog.ts'), place.directory], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
    const log = join(place.directory, 'containerd.log');
    let containerd: ChildProcess | null = null;
    try {
      const kind = snapshotter(place);
      containerd = launch(place, configure(place, kind), log);
      const child = containerd;
      const ended = (): string | null => (child.exitCode === null && child.signalCode === null ? null : `containerd has ended (${child.signalCode ?? child.exitCode})`);
      const socket = join(place.hostRoot, 'run/containerd/containerd.sock');
      await eventually('its socket', () => Promise.resolve(existsSync(socket) || null), ended);
      const cri = new CriClient(socket);
      const { runtimeName, runtimeVersion } = await eventually('the CRI', () => cri.version(), ended);
      execFileSync('ctr', ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', '--snapshotter', kind, '-'], { input: imageArchive(), stdio: ['pipe', 'ignore', 'pipe'] });
      for (const image of [PAUSE_IMAGE, BUSYBOX_IMAGE]) await eventually(image, async () => (await cri.hasImage(image)) || null, ended);
      return new Runtime({ place, cri, snapshotter: kind, version: `${runtimeName} ${runtimeVersion}`, containerd, watchdog });
    } catch (error) {
      const tail = existsSync(log) ? readFileSync(log, 'utf8').slice(-2_000) : '';
      await end(place, watchdog);
      if (containerd) await exited(containerd);
      throw new Error(`containerd did not start: ${(error as Error).message}\n${tail}`, { cause: error });
    }
  }

  /** A directory that looks like the / of the runtime's host. */
  get hostRoot(): string {
    return this.place.hostRoot;
  }

  get socket(): string {
    return join(this.hostRoot, 'run/containerd/containerd.sock');
  }

  /** Where containerd keeps a container's config.json. */
  bundle(id: string): string {
    return join(this.bundles, id);
  }

  /** One directory for every container that runs. */
  get bundles(): string {
    return join(this.hostRoot, 'run/containerd/io.containerd.runtime.v2.task/k8s.io');
  }

  /** A command, as argv, that runs another where /run, /var/lib and /var/log are the runtime's. Working directory: /. */
  get inside(): readonly [string, ...string[]] {
    return ['nsenter', `--mount=/proc/${this.#containerd.pid}/ns/mnt`, '--'];
  }

  get log(): string {
    return readFileSync(join(this.place.directory, 'containerd.log'), 'utf8');
  }

  /** End it and all pods, and remove all that it made. @throws Error when something survives */
  async stop(): Promise<void> {
    this.cri.close();
    this.#containerd.kill('SIGTERM');
    await Promise.race([exited(this.#containerd), sleep(ENDS_WITHIN_MS, undefined, { ref: false })]);
    await end(this.place, this.#watchdog);
    await exited(this.#containerd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Start containerd in a mount namespace of its own; the child is containerd itself. */
function launch(place: Place, config: string, log: string): ChildProcess {
  // -n: or mount makes a directory in the machine's /run.
  const cover = COVERED.map((path) => `mount -n --bind "$1/${path}" /${path}`).join(' && ');
  const script = `${cover} && exec containerd --config "$2"`;
  const output = openSync(log, 'a');
  try {
    return spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', place.hostRoot, config], { stdio: ['ignore', output, output], cwd: '/' });
  } finally {
    closeSync(output);
  }
}

async function end(place: Place, watchdog: ChildProcess): Promise<void> {
  await cleanUp(place);
  watchdog.stdin?.end();
  await exited(watchdog);
}
