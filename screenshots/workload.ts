/**
 * A small busy node for pictures: a few services of screenshots/services.ts, each in a container cgroup with a
 * pod-like path and a host name of its own, doing real system calls, opens, connects and CPU contention.
 *
 *   node screenshots/workload.ts        say how to start kbtop, run until Ctrl-C, then remove every cgroup made
 *
 * Needs root. Refuses to run on a node where a kubelet keeps cgroups of its own.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DemoCluster, type DemoPod } from './cluster.ts';

/** One container: who it is, what it runs, and an optional CPU limit in CPUs. */
interface Service {
  readonly role: string;
  readonly namespace: string;
  readonly pod: string;
  readonly owner: DemoPod['owner'];
  readonly ageHours: number;
  readonly restarts?: number;
  readonly qos: '' | 'burstable' | 'besteffort';
  readonly copies?: number;
  readonly cpuLimit?: number;
}

const SERVICES: readonly Service[] = [
  { role: 'web', namespace: 'shop', pod: 'web-5d9f7c6b8-iz6xk', owner: ['Deployment', 'web', '5d9f7c6b8'], ageHours: 77, qos: 'burstable' },
  { role: 'cart', namespace: 'shop', pod: 'cart-7b4e9d5f6-dq4lm', owner: ['Deployment', 'cart', '7b4e9d5f6'], ageHours: 5.2, restarts: 3, qos: 'burstable' },
  { role: 'store', namespace: 'shop', pod: 'store-0', owner: ['StatefulSet', 'store', ''], ageHours: 411, qos: '' },
  { role: 'scan', namespace: 'security', pod: 'scan-md6wq', owner: ['DaemonSet', 'scan', ''], ageHours: 980, qos: 'besteffort' },
  { role: 'batch', namespace: 'jobs', pod: 'batch-28e2-x2k1f', owner: ['Job', 'batch-28e2', ''], ageHours: 0.8, qos: 'burstable', copies: 2, cpuLimit: 0.4 },
  { role: 'cron', namespace: 'jobs', pod: 'cron-29184720-5w9pt', owner: ['CronJob', 'cron', '29184720'], ageHours: 0.05, qos: 'besteffort' },
];

/** v1 controllers that say something about a container; cpuset would have to be configured before it can be joined. */
const CONTROLLERS = new Set(['cpu', 'cpuacct', 'memory', 'pids']);

/** Mount points of the cgroup hierarchies to join: the v2 one and the v1 ones of interest. */
export function hierarchies(mounts: string): string[] {
  const found = mounts.split('\n').flatMap((line) => {
    const [, point = '', type, options = ''] = line.split(' ');
    if (type === 'cgroup2') return [point];
    if (type === 'cgroup' && options.split(',').some((option) => CONTROLLERS.has(option))) return [point];
    return [];
  });
  return [...new Set(found)];
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Uid of its pod, and id of the container; two runs at a time do not share any. */
function idsOf(service: Pick<Service, 'role' | 'pod'>, run: string): { readonly podUid: string; readonly containerId: string } {
  const h = digest(`${run}/${service.pod}`);
  const uid = `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20, 32)}`;
  return { podUid: uid, containerId: digest(`${run}/${service.pod}/${service.role}`) };
}

/** The path that a kubelet with the cgroupfs driver gives a container. */
export function containerPath(service: Pick<Service, 'role' | 'pod' | 'qos'>, run: string = String(process.pid)): string {
  const { podUid, containerId } = idsOf(service, run);
  return join('kubepods', service.qos, `pod${podUid}`, containerId);
}

/** The containers as their runtime and the API would tell of them. */
function podsOf(run: string = String(process.pid)): DemoPod[] {
  const classes = { '': 'Guaranteed', burstable: 'Burstable', besteffort: 'BestEffort' };
  return SERVICES.map((service) => ({
    ...idsOf(service, run), namespace: service.namespace, name: service.pod, container: service.role, owner: service.owner, ageHours: service.ageHours, restarts: service.restarts ?? 0, qosClass: classes[service.qos],
  }));
}

/** All directories from the top to `path`, the top first. */
const ancestors = (path: string): string[] => path.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'));

export class Workload {
  readonly #roots: string[];
  readonly #children: ChildProcess[] = [];
  readonly #made: string[] = [];
  readonly #cluster = new DemoCluster();

  constructor(roots: string[] = hierarchies(readFileSync('/proc/self/mounts', 'utf8'))) {
    this.#roots = roots;
  }

  /** Start all services. @throws without root, or when the node has a kubelet */
  async start(): Promise<void> {
    if (process.getuid?.() !== 0) throw new Error('the workload makes cgroups: run it as root');
    if (existsSync('/var/lib/kubelet/config.yaml')) throw new Error('this node has a kubelet: its cgroups are not ours to add to');
    await this.#cluster.start(podsOf());
    const ports = await freePorts(3);
    for (const service of SERVICES) this.#run(service, ports.join(','));
  }

  /** Flags with which kbtop knows who the containers are. */
  get flags(): readonly string[] {
    return this.#cluster.flags;
  }

  #run(service: Service, ports: string): void {
    const path = containerPath(service);
    const procs = this.#roots.map((root) => this.#make(root, path, service));
    const enterCgroups = 'for file in "$@"; do echo $$ > "$file" || exit 1; done';
    const enter = 'exec unshare --uts --pid --fork --kill-child sh -c \'hostname "$KBTOP_POD"; exec "$KBTOP_NODE" "$KBTOP_SERVICES" "$KBTOP_ROLE"\'';
    for (let copy = 0; copy < (service.copies ?? 1); copy++) {
      const env = {
        ...process.env,
        KBTOP_POD: service.pod,
        KBTOP_ROLE: service.role,
        KBTOP_PORTS: ports,
        KBTOP_NODE: process.execPath,
        KBTOP_SERVICES: `${import.meta.dirname}/services.ts`,
      };
      // The services end when this pipe closes, so that none outlives us, whatever happens.
      this.#children.push(spawn('sh', ['-c', `${enterCgroups}; ${enter}`, 'sh', ...procs], { env, stdio: ['pipe', 'ignore', 'inherit'] }));
    }
  }

  /** Make the container's directories below one hierarchy; returns its cgroup.procs. */
  #make(root: string, path: string, service: Service): string {
    for (const dir of ancestors(path)) {
      const full = join(root, dir);
      if (this.#made.includes(full)) continue;
      // Shared with other runs near the top: whoever comes last removes it.
      mkdirSync(full, { recursive: true });
      this.#made.push(full);
    }
    const dir = join(root, path);
    const { cpuLimit } = service;
    if (cpuLimit !== undefined) {
      // Where the controller is not on offer, the service runs without its limit.
      const quota = Math.round(cpuLimit * 100_000);
      if (existsSync(join(dir, 'cpu.cfs_quota_us'))) writeFileSync(join(dir, 'cpu.cfs_quota_us'), `${quota}`);
      else if (existsSync(join(dir, 'cpu.max'))) writeFileSync(join(dir, 'cpu.max'), `${quota} 100000`);
    }
    return join(dir, 'cgroup.procs');
  }

  /** End all services and remove the cgroups made. */
  async stop(): Promise<void> {
    await Promise.all(this.#children.map(end));
    this.#children.length = 0;
    for (const dir of this.#made.toReversed()) await removeCgroup(dir);
    this.#made.length = 0;
    await this.#cluster.stop();
  }
}

/** Ports that nobody listens on now, on 127.0.0.1 nor on ::1. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '::'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Ask a service to end by closing its stdin, and insist after two seconds. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.stdin?.end();
  const insist = setTimeout(() => child.kill('SIGKILL'), 2_000);
  await ended;
  clearTimeout(insist);
}

/** Somebody else's cgroups are in there, too. */
const hasChildren = (dir: string): boolean => readdirSync(dir, { withFileTypes: true }).some((entry) => entry.isDirectory());

/** A cgroup can be removed only when its last task is gone, which the kernel may need a moment for. */
async function removeCgroup(dir: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      rmdirSync(dir);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || hasChildren(dir)) return;
      if (attempt === 100) throw error;
      await sleep(50);
    }
  }
}

if (import.meta.main) {
  const workload = new Workload();
  const stop = async (): Promise<void> => {
    await workload.stop();
    process.exit(0);
  };
  process.once('SIGINT', () => void stop());
  process.once('SIGTERM', () => void stop());
  await workload.start();
  console.log(`bin/kbtop ${workload.flags.join(' ')}`);
}
