import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Workload, containerPath, hierarchies } from '../../screenshots/workload.ts';

const mounts = readFileSync('/proc/self/mounts', 'utf8');
const v2 = mounts.split('\n').map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1];

it('joins the v2 hierarchy and the v1 ones that say something about a container', () => {
  const hybrid = [
    'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0',
    'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0',
    'cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0',
    'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0',
    'tmpfs /tmp tmpfs rw 0 0',
  ].join('\n');
  expect(hierarchies(hybrid)).toEqual(['/sys/fs/cgroup/unified', '/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/memory']);
});

it('names containers as a kubelet with the cgroupfs driver does', () => {
  const path = /^kubepods\/burstable\/pod[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}\/[\da-f]{64}$/;
  expect(containerPath({ role: 'web', pod: 'web-1', qos: 'burstable' })).toMatch(path);
  expect(containerPath({ role: 'web', pod: 'web-1', qos: '' })).toMatch(/^kubepods\/pod/);
});

describe.skipIf(process.getuid?.() !== 0 || v2 === undefined || existsSync('/var/lib/kubelet/config.yaml'))('as root on cgroup v2', () => {
  it('runs its services in their cgroups and leaves neither behind', async () => {
    const root = join(v2 ?? '', `kbtop-test-${process.pid}`);
    mkdirSync(root);
    const workload = new Workload([root]);
    const containers = (): string[] => readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => /[\da-f]{64}$/.test(path));
    const pids = (): string[] => containers().flatMap((path) => readFileSync(join(root, path, 'cgroup.procs'), 'utf8').split('\n').filter((pid) => pid !== ''));
    try {
      await workload.start();
      await expect.poll(() => containers().length, { timeout: 20_000 }).toBe(6);
      const comms = (): string[] => pids().map((pid) => (existsSync(`/proc/${pid}/comm`) ? readFileSync(`/proc/${pid}/comm`, 'utf8').trim() : ''));
      await expect.poll(comms, { timeout: 20_000 }).toEqual(expect.arrayContaining(['web', 'cart', 'store', 'scan', 'batch', 'cron']));
    } finally {
      await workload.stop();
    }
    await sleep(100);
    expect(existsSync(join(root, 'kubepods'))).toBe(false);
    rmdirSync(root);
  });
});
