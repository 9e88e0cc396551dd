/**
 * Names from files for a node with 1,000 containers in 250 pods: from start to the last name, what it takes of the CPU
 * then and at rest, and memory. Each run is a process of its own; state files as containerd and the kubelet leave them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogsSource } from '../src/identity/logs/source.ts';
import { createOciSource } from '../src/identity/oci/source.ts';
import type { NameSource } from '../src/identity/source.ts';
import { median, type BenchRow } from './bench.ts';

const CONTAINERS = 1_000;
const PER_POD = 4;
const RUNS = 5;
const REST_MS = 10_000;
const self = import.meta.filename;

const idOf = (i: number): string => i.toString(16).padStart(64, '0');
const uidOf = (pod: number): string => `00000000-0000-4000-8000-${pod.toString(16).padStart(12, '0')}`;

/** As long as real ones: 12 KB with the default seccomp profile and the environment of forty services. */
function configOf(i: number, pod: number): string {
  return JSON.stringify({
    ociVersion: '1.1.0',
    process: { args: ['/bin/app'], env: Array.from({ length: 40 }, (_, n) => `SERVICE_${n}_PORT=tcp://10.96.0.${n}:8080`), cwd: '/' },
    root: { path: 'rootfs' }, mounts: Array.from({ length: 12 }, (_, n) => ({ destination: `/mnt/${n}`, type: 'bind', source: `/var/lib/kubelet/pods/${uidOf(pod)}/volumes/${n}`, options: ['rbind', 'rprivate', 'ro'] })),
    annotations: {
      'io.kubernetes.cri.container-name': `c${i % PER_POD}`, 'io.kubernetes.cri.container-type': 'container', 'io.kubernetes.cri.image-name': 'registry.example/app:1',
      'io.kubernetes.cri.sandbox-id': idOf(CONTAINERS + pod), 'io.kubernetes.cri.sandbox-name': `web-${pod}`, 'io.kubernetes.cri.sandbox-namespace': 'shop', 'io.kubernetes.cri.sandbox-uid': uidOf(pod),
    },
    linux: { cgroupsPath: `/kubepods/burstable/pod${uidOf(pod)}/${idOf(i)}`, seccomp: { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: Array.from({ length: 350 }, (_, n) => `system_call_${n}`), action: 'SCMP_ACT_ALLOW' }] } },
  });
}

function build(root: string): void {
  const tasks = join(root, 'run/containerd/io.containerd.runtime.v2.task/k8s.io'), links = join(root, 'var/log/containers');
  mkdirSync(links, { recursive: true });
  for (let i = 0; i < CONTAINERS; i++) {
    const pod = Math.floor(i / PER_POD);
    mkdirSync(join(tasks, idOf(i)), { recursive: true });
    writeFileSync(join(tasks, idOf(i), 'config.json'), configOf(i, pod));
    const logs = `var/log/pods/shop_web-${pod}_${uidOf(pod)}/c${i % PER_POD}`;
    mkdirSync(join(root, logs), { recursive: true });
    symlinkSync(`/${logs}/0.log`, join(links, `web-${pod}_shop_c${i % PER_POD}-${idOf(i)}.log`));
  }
}

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssMiB: number;
  readonly restPct: number;
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** In the process that is measured. */
async function measure(root: string): Promise<Measured> {
  const options = { hostRoot: root, runtimeEndpoint: null, kubeconfig: null, context: null, nodeName: 'node', debug: () => {} };
  const sources: readonly NameSource[] = [createOciSource(options), createLogsSource(options)];
  const before = { wall: performance.now(), cpu: cpuMs(), rss: process.memoryUsage.rss() };
  for (const source of sources) {
    source.onChange(() => {});
    for (let i = 0; i < CONTAINERS; i++) source.notice?.({ containerId: idOf(i), podUid: uidOf(Math.floor(i / PER_POD)) });
  }
  await Promise.all(sources.map((source) => source.start()));
  const wallMs = performance.now() - before.wall, used = cpuMs() - before.cpu, rssMiB = (process.memoryUsage.rss() - before.rss) / 2 ** 20;
  for (let i = 0; i < CONTAINERS; i++) {
    for (const source of sources) {
      const names = source.lookup({ containerId: idOf(i), podUid: null });
      if (names?.pod !== `web-${Math.floor(i / PER_POD)}` || names.container !== `c${i % PER_POD}`) throw new Error(`${source.id} names container ${i} ${JSON.stringify(names)}`);
    }
  }
  const rest = cpuMs();
  await new Promise((resolve) => { setTimeout(resolve, REST_MS); });
  const restPct = ((cpuMs() - rest) / REST_MS) * 100;
  for (const source of sources) source.close();
  return { wallMs, cpuMs: used, rssMiB, restPct };
}

export async function run(): Promise<readonly BenchRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'kbtop-bench-'));
  try {
    build(root);
    const runs = Array.from({ length: RUNS }, () => JSON.parse(execFileSync(process.execPath, [self, root], { encoding: 'utf8' })) as Measured);
    const row = (name: string, field: keyof Measured, below: number): BenchRow => {
      const ours = median(runs.map((one) => one[field]));
      return { name: `names of 1,000 containers from files: ${name}`, ours, peer: null, ratio: ours, aim: `< ${below}`, met: ours < below, note: `oci and logs together; median of ${RUNS} processes` };
    };
    return [row('start to the last name, ms', 'wallMs', 300), row('CPU for it, ms', 'cpuMs', 300), row('memory, MiB', 'rssMiB', 20), row('CPU at rest, %', 'restPct', 1)];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

if (process.argv[1] === self && process.argv[2] !== undefined) console.log(JSON.stringify(await measure(process.argv[2])));
