/** Every source of names, alone, against real pods of a real container runtime, with real BPF. */
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/bpf/load.ts';
import type { ContainerInfo } from '../../src/frame/frame.ts';
import { createCriSource } from '../../src/identity/cri/source.ts';
import { Identity } from '../../src/identity/identity.ts';
import { type CgroupKey, cgroupIdOf } from '../../src/identity/key.ts';
import { createLogsSource } from '../../src/identity/logs/source.ts';
import { createOciSource } from '../../src/identity/oci/source.ts';
import type { SourceOptions } from '../../src/identity/options.ts';
import type { NameSource } from '../../src/identity/source.ts';
import { keyOf, Pod, type RunningContainer } from '../runtime/pods.ts';
import { Runtime, unavailable } from '../runtime/runtime.ts';
import { type Shapes, startShapes } from '../runtime/shapes.ts';
import { runShortLived } from '../runtime/short-lived.ts';
import { canLoadBpf } from '../workloads/cgroup.ts';
import { BundleNames } from './bundle-names.ts';

interface Candidate {
  readonly title: string;
  readonly create: (options: SourceOptions) => NameSource;
  /** Knows pause containers; without it, a sandbox is one of its pod's containers, without a name. */
  readonly tellsSandboxes: boolean;
  readonly tellsLabels: boolean;
}

const CANDIDATES: readonly Candidate[] = [
  { title: 'bundles', create: ({ hostRoot }) => new BundleNames(hostRoot), tellsSandboxes: true, tellsLabels: false },
  { title: 'oci', create: createOciSource, tellsSandboxes: true, tellsLabels: false },
  { title: 'cri', create: (options) => createCriSource(options), tellsSandboxes: true, tellsLabels: true },
  { title: 'logs', create: createLogsSource, tellsSandboxes: false, tellsLabels: false },
];

/** As often as kbtop looks for new cgroups, and makes Frames; milliseconds. */
const DRAIN_MS = 25;
const FRAME_MS = 1_000;
const NAMED_WITHIN_MS = 5_000;

const why = unavailable() ?? (canLoadBpf ? null : 'no BTF');

const optionsFor = (hostRoot: string): SourceOptions => ({ hostRoot, runtimeEndpoint: null, kubeconfig: null, context: null, nodeName: hostname(), debug: () => {} });

const pidNamespace = (pid: number): number => Number(/\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/pid`))?.[1]);

/** An Identity with one source, treated as kbtop treats its own. */
class Watched {
  readonly identity: Identity;
  /** Every cgroup that had tasks at any time. */
  readonly seen = new Set<CgroupKey>();
  #timers: NodeJS.Timeout[] = [];

  private constructor(source: NameSource | null) {
    this.identity = new Identity({ sources: source ? [source] : [] });
  }

  static async start(source: NameSource | null): Promise<Watched> {
    const watched = new Watched(source);
    await Promise.all([watched.identity.start(loadAddon()), watched.identity.startSources(true)]);
    watched.#timers = [setInterval(() => watched.identity.drain(), DRAIN_MS), setInterval(() => watched.frame(), FRAME_MS)];
    return watched;
  }

  /** What a Frame makes of it. */
  frame(): void {
    this.identity.walk();
    for (const key of this.identity.uses.keys()) {
      this.seen.add(key);
      this.identity.info(key);
    }
  }

  /** Who a cgroup is, once nothing is missing any more; what is known at the deadline otherwise. */
  async info(key: CgroupKey): Promise<ContainerInfo> {
    const deadline = performance.now() + NAMED_WITHIN_MS;
    for (;;) {
      this.identity.resolve([key]);
      const info = this.identity.info(key);
      if (info.unresolved === null || performance.now() > deadline) return info;
      await sleep(20);
    }
  }

  /**
   * Walk until the namespaces are the containers' own and not those of the helper that began them, which it takes the
   * kernel a moment to free. Gives up silently: the tests say what is wrong.
   */
  async settled(containers: readonly RunningContainer[]): Promise<void> {
    const own = ({ key, pid }: RunningContainer): boolean => this.identity.info(key).pidNs === pidNamespace(pid);
    const deadline = performance.now() + NAMED_WITHIN_MS;
    for (this.frame(); !containers.every(own) && performance.now() < deadline; this.frame()) await sleep(50);
  }

  close(): void {
    this.#timers.forEach(clearInterval);
    this.identity.close();
  }
}

describe.skipIf(why !== null)(`identity of real pods (${why ?? 'containerd, BPF'})`, () => {
  let runtime: Runtime;
  let shapes: Shapes;
  let nameless: Watched;
  const early: Watched[] = [];

  beforeAll(async () => {
    runtime = await Runtime.start();
    for (const { create } of CANDIDATES) early.push(await Watched.start(create(optionsFor(runtime.hostRoot))));
    nameless = await Watched.start(null);
    shapes = await startShapes(runtime);
  });
  afterAll(async () => {
    for (const watched of [...early, nameless]) watched?.close();
    await runtime?.stop();
  });

  const podOf = (pod: Pod): Partial<ContainerInfo> => ({ namespace: pod.namespace, pod: pod.name, podUid: pod.uid, qos: pod.qos });

  describe.each(CANDIDATES.flatMap((candidate, i) => [
    { ...candidate, i, title: `${candidate.title}, pods that start` },
    { ...candidate, i: null, title: `${candidate.title}, pods there before` },
  ]))('by $title', ({ i, create, tellsSandboxes, tellsLabels }) => {
    let watched: Watched;
    beforeAll(async () => {
      watched = i === null ? await Watched.start(create(optionsFor(runtime.hostRoot))) : early[i] as Watched;
      await watched.settled(Object.values(shapes.pods).flatMap((pod) => pod.containers));
    });
    afterAll(() => {
      if (i === null) watched?.close();
    });
    const id = (): string => watched.identity.sources[0]?.id ?? '';

    it('names every container', async () => {
      for (const pod of Object.values(shapes.pods)) {
        for (const { key, id: containerId, cgroup, name, pid } of pod.containers) {
          expect(await watched.info(key)).toMatchObject({
            kind: 'pod', ...podOf(pod), container: name, containerId, cgroup, cgroupId: cgroupIdOf(key), nodename: pod.hostname, pidNs: pidNamespace(pid),
            nameSource: id(), unresolved: null, ...(tellsLabels ? { labels: pod.labels } : {}),
          });
        }
      }
    });

    it('names pods by their own cgroups', async () => {
      // Without tasks in them, some are only found by a search; one for all.
      watched.identity.resolve(Object.values(shapes.pods).map((pod) => keyOf(pod.cgroup)));
      for (const pod of Object.values(shapes.pods)) {
        expect(await watched.info(keyOf(pod.cgroup))).toMatchObject({ kind: 'pod', ...podOf(pod), container: null, containerId: null, unresolved: null });
      }
    });

    it.runIf(tellsSandboxes)('knows sandboxes for what they are', async () => {
      for (const pod of Object.values(shapes.pods)) {
        expect(await watched.info(pod.sandbox.key)).toMatchObject({ kind: 'sandbox', ...podOf(pod), container: null, containerId: pod.sandbox.id, unresolved: null });
      }
    });

    it('takes no sandbox for one of the containers', async () => {
      for (const { sandbox, containers } of Object.values(shapes.pods)) {
        watched.identity.resolve([sandbox.key]);
        expect(containers.map(({ name }) => name)).not.toContain(watched.identity.info(sandbox.key).container);
      }
    });

    it('gives a cgroup inside a container the names of the container', async () => {
      const { nested } = shapes.pods;
      expect(await watched.info(shapes.inner.key)).toMatchObject({ kind: 'pod', ...podOf(nested), container: 'init', containerId: nested.container('init').id, cgroup: shapes.inner.cgroup, unresolved: null });
    });

    it('keeps a pod in the host\'s network apart from the host', async () => {
      const pod = shapes.pods.hostNetwork;
      expect(await watched.info(pod.container('exporter').key)).toMatchObject({ ...podOf(pod), container: 'exporter', nodename: hostname() });
      const others = [...watched.identity.uses.keys()].map((key) => watched.identity.info(key)).filter(({ nodename, podUid }) => nodename === hostname() && podUid === null);
      expect(others.length).toBeGreaterThan(0);
      for (const other of others) expect(other).toMatchObject({ namespace: null, pod: null });
    });

    it('tells containers apart that share a pid namespace', async () => {
      const pod = shapes.pods.sharedPids;
      const [main, shell, sandbox] = await Promise.all([pod.container('main'), pod.container('shell'), pod.sandbox].map(({ key }) => watched.info(key)));
      expect([main?.container, shell?.container, sandbox?.container]).toEqual(['main', 'shell', null]);
      expect(new Set([main?.pidNs, shell?.pidNs, sandbox?.pidNs])).toEqual(new Set([pidNamespace(pod.sandbox.pid)]));
    });

    it('does not mix up pods of the same name, nor a name with a hostname', async () => {
      const { web, twin, hostname: custom } = shapes.pods;
      expect(await watched.info(web.container('app').key)).toMatchObject({ namespace: 'shop', pod: web.name, podUid: web.uid });
      expect(await watched.info(twin.container('app').key)).toMatchObject({ namespace: 'staging', pod: web.name, podUid: twin.uid });
      expect(await watched.info(custom.container('postgres').key)).toMatchObject({ pod: 'db-0', nodename: 'custom-host' });
    });
  });

  describe.each(CANDIDATES)('by $title, nothing to be read', ({ create }) => {
    it('keeps what the path tells and says why there is no more', async () => {
      const empty = mkdtempSync(join(tmpdir(), 'kbtop-empty-'));
      const watched = await Watched.start(create(optionsFor(empty)));
      try {
        const [source] = watched.identity.sources;
        expect(['absent', 'failing']).toContain(source?.state.status);
        const { key, id, cgroup } = shapes.pods.web.container('app');
        watched.identity.resolve([key]);
        expect(watched.identity.info(key)).toMatchObject({
          kind: 'pod', namespace: null, pod: null, container: null, podUid: shapes.pods.web.uid, containerId: id, cgroup, qos: 'Burstable', nameSource: 'cgroup',
          unresolved: `pod and container names: ${source?.id}: ${source?.state.reason}`,
        });
      } finally {
        watched.close();
        rmSync(empty, { recursive: true });
      }
    });
  });

  it('without any source, tells ids and why there are no names', () => {
    for (const pod of Object.values(shapes.pods)) {
      for (const { key, id, cgroup } of [pod.sandbox, ...pod.containers]) {
        nameless.identity.resolve([key]);
        expect(nameless.identity.info(key)).toMatchObject({
          kind: 'pod', namespace: null, pod: null, podUid: pod.uid, container: null, containerId: id, cgroup, qos: pod.qos, nameSource: 'cgroup',
          unresolved: expect.stringMatching(/^pod and container names: the cgroup path holds only ids/) as string,
        });
      }
    }
  });

  describe('of 100 containers that live 50 ms', () => {
    let pod: Pod;
    let names: Map<string, string>;

    beforeAll(async () => {
      pod = await Pod.start(runtime, { name: 'batch-28399920-abcde', namespace: 'jobs', qos: 'BestEffort', containers: [] });
      names = await runShortLived(runtime, pod, { count: 100, lifeMs: 50, parallel: 4 });
      for (const watched of [nameless, ...early]) watched.frame();
    });

    /** Those of the burst, by container id. */
    const found = ({ identity, seen }: Watched): Map<string, ContainerInfo> => new Map([...seen].map((key) => identity.info(key))
      .filter((info) => info.podUid === pod.uid && info.containerId !== pod.sandbox.id).map((info) => [info.containerId ?? info.cgroupId, info]));

    it('each has its path', () => {
      expect([...found(nameless).keys()].sort()).toEqual([...names.keys()].sort());
    });

    it.each(CANDIDATES.map(({ title }, i) => ({ title, i })))('none stays unnamed or gets another\'s name, by $title', ({ i }) => {
      const infos = found(early[i] as Watched);
      expect([...infos.keys()].sort()).toEqual([...names.keys()].sort());
      expect([...infos.values()].filter((info) => info.unresolved !== null).map((info) => [names.get(info.containerId ?? ''), info.unresolved])).toEqual([]);
      expect([...infos].filter(([id, info]) => info.container !== names.get(id) || info.pod !== pod.name || info.namespace !== 'jobs')).toEqual([]);
    });
  });
});
