import { readFileSync, readlinkSync, renameSync, rmdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/bpf/load.ts';
import type { Addon } from '../../src/bpf/addon.ts';
import { Identity } from '../../src/identity/identity.ts';
import { cgroupKey } from '../../src/identity/key.ts';
import { bpfIdsOf, canLoadBpf, end, ended, firstLine, hierarchyWith, ownPath, runIn, TestCgroup, until, v1Hierarchy } from '../workloads/cgroup.ts';

const memory = v1Hierarchy('memory');
const charging = hierarchyWith('memory');
const cpu = hierarchyWith('cpu');
const pids = v1Hierarchy('pids');
const CID = '05ace0336205ec28b4084793ada1de91b6a9c294e55e99086bdec24a811f38a4';
const UID = '7e299a8d-c8cc-4b92-ad99-98e453d358e8';

function inum(link: string): number {
  return Number(/\[(\d+)\]/.exec(readlinkSync(link))?.[1]);
}

describe.skipIf(!canLoadBpf)('identity with real BPF', () => {
  let addon: Addon;
  let identity: Identity;

  beforeEach(async () => {
    addon = loadAddon();
    identity = new Identity();
    await identity.start(addon);
  });
  afterEach(() => identity.close());

  it('attaches every program', () => {
    expect(identity.results.filter((result) => !result.ok)).toEqual([]);
    expect(identity.results.map((result) => result.program)).toContain('walk');
    expect(identity.degraded).toBeNull();
  });

  it('knows this process at once, by its own cgroup', () => {
    const own = [...identity.uses.values()].filter((use) => identity.info(use.key).cgroup !== null);
    expect(own.length).toBe(identity.uses.size);
    expect(own.reduce((sum, use) => sum + use.tasks, 0)).toBeGreaterThan(4);
  });

  it('counts the tasks and processes of a cgroup', async () => {
    await using group = new TestCgroup(ownPath());
    const child = runIn([group], 'sleep 60 & sleep 60 & sleep 60 & echo ready; wait');
    try {
      await firstLine(child);
      await until('four processes', () => {
        identity.walk();
        return identity.uses.get(group.key)?.processes === 4;
      });
      expect(identity.uses.get(group.key)).toMatchObject({ tasks: 4, processes: 4 });
    } finally {
      group.kill();
      await ended(child);
    }
    await until('all to be gone', () => {
      identity.walk();
      return identity.uses.get(group.key)?.tasks === 0;
    });
  });

  it('names a container that lived 50 ms, after its end', async () => {
    const group = new TestCgroup(`/kubepods/burstable/pod${UID}/${CID}`);
    const child = runIn([group], 'echo $$; exec sleep 0.05');
    await firstLine(child);
    await ended(child);
    await group.remove();
    identity.resolve([group.key]);
    expect(identity.info(group.key)).toMatchObject({
      kind: 'pod', cgroup: group.path, podUid: UID, containerId: CID, container: null, qos: 'Burstable', nameSource: 'cgroup',
      pidNs: inum('/proc/self/ns/pid'), nodename: readFileSync('/proc/sys/kernel/hostname', 'utf8').trim(),
    });
    expect(identity.info(group.key).unresolved).toMatch(/^pod and container names: /);
    expect(identity.removed(group.key)).toBe(true);
  });

  it('names each of 40 containers that live side by side for a moment', async () => {
    const groups = Array.from({ length: 40 }, (_, i) => new TestCgroup(ownPath(`short-${i}`)));
    const runs = groups.map((group) => ended(runIn([group], 'exec sleep 0.05')));
    expect(await Promise.all(runs)).toEqual(groups.map(() => 0));
    for (const group of groups) await group.remove();
    identity.resolve(groups.map((group) => group.key));
    expect(groups.map((group) => identity.info(group.key).cgroup)).toEqual(groups.map((group) => group.path));
    expect(groups.map((group) => identity.info(group.key).pidNs)).toEqual(groups.map(() => inum('/proc/self/ns/pid')));
  });

  it('tells the pid namespace and nodename of the tasks themselves', async () => {
    await using group = new TestCgroup(ownPath());
    const child = runIn([group], `exec unshare --pid --uts --fork /bin/sh -c 'hostname web-1; readlink /proc/self/ns/pid; sleep 60'`);
    try {
      await firstLine(child);
      // The parent's namespace for children differs from its own: only the child's own tells.
      const inner = group.pids.find((pid) => pid !== child.pid && inum(`/proc/${pid}/ns/pid`) !== inum('/proc/self/ns/pid')) ?? 0;
      const info = await until('the nodename', () => {
        identity.walk();
        const now = identity.info(group.key);
        return now.nodename === 'web-1' && now;
      });
      expect(info.pidNs).toBe(inum(`/proc/${inner}/ns/pid`));
    } finally {
      group.kill();
      await ended(child);
    }
  });

  it('remembers namespaces of a container that ended before any walk', async () => {
    await using group = new TestCgroup(ownPath());
    const child = runIn([group], `exec unshare --pid --uts --fork /bin/sh -c 'hostname short-1; readlink /proc/self/ns/pid; exec sleep 0.05'`);
    const link = await firstLine(child);
    await ended(child);
    identity.resolve([group.key]);
    identity.walk();
    expect(identity.info(group.key)).toMatchObject({ pidNs: Number(/\[(\d+)\]/.exec(link)?.[1]), nodename: 'short-1' });
  });

  it.skipIf(memory === null || pids === null)('on a hybrid host keys by v2, else memory, else pids', async () => {
    const v2 = new TestCgroup(ownPath('v2'));
    const inMemory = new TestCgroup(ownPath('memory'), memory ?? 0);
    const root = new TestCgroup('/', memory ?? 0);
    const inPids = new TestCgroup(ownPath('pids'), pids ?? 0);
    const children = [runIn([v2, inMemory], 'echo; sleep 60'), runIn([inMemory], 'echo; sleep 60'), runIn([root, inPids], 'echo; sleep 60')];
    try {
      await Promise.all(children.map(firstLine));
      identity.walk();
      const tasks = (group: TestCgroup) => identity.uses.get(group.key)?.tasks ?? 0;
      expect([tasks(v2), tasks(inMemory), tasks(inPids)].every((count) => count >= 1)).toBe(true);
      expect(identity.info(v2.key).cgroup).toBe(v2.path);
      expect(identity.info(inMemory.key).cgroup).toBe(inMemory.path);
      expect(identity.info(inPids.key).cgroup).toBe(inPids.path);
      expect(identity.uses.get(v2.key)?.memoryKey).toBe(inMemory.key);
    } finally {
      for (const group of [v2, inMemory, inPids]) group.kill();
      await Promise.all(children.map(ended));
      await Promise.all([v2.remove(), inMemory.remove(), inPids.remove()]);
    }
  });

  it('calls tasks in no cgroup at all the host', async () => {
    const root = new TestCgroup('/', memory ?? 0);
    const child = runIn([root], 'echo; exec sleep 60');
    try {
      await firstLine(child);
      identity.walk();
      const host = [...identity.uses.values()].find((use) => identity.info(use.key).kind === 'host');
      expect(host?.tasks).toBeGreaterThan(1);
      expect(identity.path(host?.key ?? '')).toBe('/');
    } finally {
      await end(child);
    }
  });

  // cgroup v2 cannot rename.
  it.skipIf(memory === null)('follows a renamed directory and what lies below it (needs cgroup v1)', async () => {
    const below = new TestCgroup(`${ownPath()}/below`, memory ?? 0);
    const old = below.directory.slice(0, -'/below'.length);
    renameSync(old, `${old}-renamed`);
    try {
      identity.resolve([below.key]);
      expect(identity.path(below.key)).toBe(below.path.replace('/below', '-renamed/below'));
    } finally {
      rmdirSync(`${old}-renamed/below`);
      rmdirSync(`${old}-renamed`);
    }
  });

  it('keeps the end of a path that is too deep, and marks it', async () => {
    await using group = new TestCgroup(`${ownPath()}${'/deep'.repeat(40)}/leaf`);
    identity.resolve([group.key]);
    expect(identity.path(group.key)).toMatch(/^\/…\/(deep\/)+leaf$/);
  });

  it('takes a name of 255 bytes that is not ASCII', async () => {
    await using group = new TestCgroup(`${ownPath()}/${'ü'.repeat(127)}x`);
    identity.resolve([group.key]);
    expect(identity.path(group.key)).toBe(group.path);
  });

  it('charges exactly the CPU time of short-lived tasks, too', async () => {
    await using group = new TestCgroup(ownPath());
    const child = runIn([group], 'i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done; echo done; read _');
    await firstLine(child);
    const usageNs = (): number => Number(/^usage_usec (\d+)/m.exec(group.read('cpu.stat'))?.[1]) * 1000;
    // Dead tasks are charged when the kernel frees them.
    const charged = await until('all tasks to be charged', () => {
      identity.walk();
      const ns = identity.uses.get(group.key)?.cpuNs ?? 0;
      return ns > usageNs() * 0.97 && ns;
    });
    expect(charged).toBeLessThan(usageNs() * 1.03);
    expect(charged).toBeGreaterThan(50e6);
    child.stdin?.end();
    await ended(child);
  });

  it.skipIf(charging === null)('reads the counter behind the memory file (needs the memory controller)', async () => {
    await using group = new TestCgroup(ownPath(), charging ?? 0);
    const child = runIn([group], `exec ${process.execPath} -e "globalThis.x = Buffer.alloc(64e6, 1); console.log(1); setInterval(() => {}, 1e6)"`);
    try {
      await firstLine(child);
      // Equal as soon as the process is quiet.
      const use = await until('walk and file to agree', () => {
        const before = group.memoryBytes;
        identity.walk();
        const now = identity.uses.get(group.key);
        return now?.memoryBytes === before && now;
      });
      expect(use.memoryKey).toBe(group.key);
      expect(use.memoryBytes).toBeGreaterThan(64e6);
    } finally {
      await end(child);
    }
  });

  it.skipIf(cpu === null)('finds the directory of the CPU quota, in whichever hierarchy (needs the cpu controller)', async () => {
    const v2 = new TestCgroup(ownPath());
    const group = new TestCgroup(v2.path, cpu ?? 0);
    const child = runIn([group, v2], 'echo; exec sleep 60');
    try {
      await firstLine(child);
      identity.walk();
      expect(identity.cpuDirectory(v2.key)).toBe(group.directory);
      expect(identity.cpuDirectory('1')).toBeNull();
    } finally {
      await end(child);
      await group.remove();
      await v2.remove();
    }
  });

  it('leaves nothing in the kernel', async () => {
    const other = new Identity();
    const before = bpfIdsOf(process.pid);
    await other.start(addon);
    const now = bpfIdsOf(process.pid);
    const own = now.maps.filter((id) => !before.maps.includes(id));
    expect(own.length).toBeGreaterThan(4);
    other.close();
    other.close();
    await until('maps to be freed', () => addon.kernelIds().maps.every((id) => !own.includes(id)));
    expect(bpfIdsOf(process.pid)).toEqual(before);
  });

  it('rejects, and leaves nothing, when it is closed while loading', async () => {
    const other = new Identity();
    const starting = other.start(addon);
    other.close();
    await expect(starting).rejects.toThrow(/closed/);
  });
});

describe.skipIf(!canLoadBpf)('identity in namespaces of its own, as in a pod', () => {
  const script = `
    import { loadAddon } from ${JSON.stringify(fileURLToPath(new URL('../../src/bpf/load.ts', import.meta.url)))};
    import { Identity } from ${JSON.stringify(fileURLToPath(new URL('../../src/identity/identity.ts', import.meta.url)))};
    const identity = new Identity();
    await identity.start(loadAddon());
    const known = Object.fromEntries(Array.from(identity.uses.keys(), (key) => [key, { path: identity.path(key), cpu: identity.cpuDirectory(key) }]));
    console.log(JSON.stringify({ degraded: identity.degraded, known }));
    identity.close();`;

  interface Seen { degraded: string | null; known: Record<string, { path: string | null; cpu: string | null }> }
  async function seenFrom(groups: readonly TestCgroup[], unshare: string): Promise<Seen> {
    const node = `${process.execPath} --input-type=module-typescript -e "$SCRIPT"`;
    const child = runIn(groups, `exec unshare ${unshare} /bin/sh -c '${node}'`, { SCRIPT: script });
    const line = await firstLine(child);
    await ended(child);
    return JSON.parse(line) as Seen;
  }

  it('still names every cgroup from the root, without any mount that shows them', async () => {
    await using other = new TestCgroup(ownPath('other'));
    await using own = new TestCgroup(`${ownPath('pod')}/inner`);
    const neighbour = runIn([other], 'echo; exec sleep 60');
    await firstLine(neighbour);
    const { known, degraded } = await seenFrom([own], '--cgroup');
    await end(neighbour);
    expect(degraded).toBeNull();
    expect(known[own.key]?.path).toBe(own.path);
    expect(known[other.key]?.path).toBe(other.path);
  });

  it.skipIf(cpu === null)('finds the files of its CPU quota (needs the cpu controller)', async () => {
    await using own = new TestCgroup(ownPath('pod'));
    await using quota = new TestCgroup(own.path, cpu ?? 0);
    const { known } = await seenFrom([own, quota], '--cgroup');
    expect(known[own.key]?.cpu).toBe(quota.directory);
  });

  it('says that it sees only one pid namespace', async () => {
    await using own = new TestCgroup(ownPath());
    const { known, degraded } = await seenFrom([own], '--pid --fork --mount-proc');
    expect(degraded).toMatch(/^only tasks of this pid namespace are seen: run on the host, or in a pod with hostPID$/);
    expect(Object.keys(known)).toEqual([own.key]);
  });
});

describe('identity without BPF', () => {
  it.skipIf(!canLoadBpf)('still finds a cgroup by its inode', async () => {
    await using group = new TestCgroup(`${ownPath()}/inner`);
    const identity = new Identity();
    const info = await until('the search', () => {
      identity.resolve([group.key]);
      const now = identity.info(group.key);
      return now.cgroup !== null && now;
    });
    expect(info.cgroup).toBe(group.path);
    identity.close();
  });

  it('says why it has no name for a cgroup that never was', () => {
    const identity = new Identity();
    const key = cgroupKey(3, 123456789);
    identity.resolve([key]);
    expect(identity.info(key)).toMatchObject({ kind: 'unknown', cgroupId: '123456789', cgroup: null, nameSource: null });
    expect(identity.info(key).unresolved).toMatch(/gone/);
    identity.close();
  });
});
