import { describe, expect, it } from 'vitest';
import { Hierarchies, namespaceRoot, parseMountinfo, parseProcCgroup } from '../../src/identity/hierarchies.ts';

const HYBRID_MOUNTS = `
22 27 0:21 / /proc rw,relatime - proc proc rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const HYBRID_CGROUP = '8:pids:/\n4:memory:/process:1/a\n2:cpu,cpuacct:/\n1:name=systemd:/\n0::/x\n';
const V2_MOUNTS = '30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';

const of = (mounts: string, cgroup: string) => new Hierarchies(parseMountinfo(mounts), parseProcCgroup(cgroup));

describe('hierarchies', () => {
  it('tells the modes apart', () => {
    expect(of(V2_MOUNTS, '0::/init.scope\n')).toMatchObject({ mode: 'v2', v1Fallback: false, wanted: [0] });
    expect(of(HYBRID_MOUNTS, HYBRID_CGROUP)).toMatchObject({ mode: 'hybrid', v1Fallback: true, wanted: [0, 8, 4, 2] });
    expect(of(HYBRID_MOUNTS.replace(/^.*cgroup2.*$/m, ''), HYBRID_CGROUP.replace(/^0::.*\n/m, ''))).toMatchObject({ mode: 'v1', v1Fallback: true });
    expect(of(HYBRID_MOUNTS, '1:name=systemd:/\n0::/\n')).toMatchObject({ mode: 'v2', v1Fallback: false });
  });

  it('knows v1 hierarchies that are not mounted where it looks: a pod sees only cgroup v2', () => {
    expect(of(V2_MOUNTS, HYBRID_CGROUP)).toMatchObject({ mode: 'hybrid', v1Fallback: true });
  });

  it('finds directories by hierarchy id', () => {
    const hybrid = of(HYBRID_MOUNTS, HYBRID_CGROUP);
    expect(hybrid.directory(0, '/a/b')).toBe('/sys/fs/cgroup/unified/a/b');
    expect(hybrid.directory(2, '/a')).toBe('/sys/fs/cgroup/cpu,cpuacct/a');
    expect(hybrid.directory(1, '/')).toBe('/sys/fs/cgroup/systemd');
    expect(hybrid.directory(5, '/')).toBeNull();
  });

  it('takes a path with colons and a mount point with spaces as they are', () => {
    expect(of(HYBRID_MOUNTS, HYBRID_CGROUP).ownPath(4)).toBe('/process:1/a');
    expect(of(V2_MOUNTS.replace('/sys/fs/cgroup', '/odd\\040dir\\134x'), '0::/').directory(0, '/a')).toBe('/odd dir\\x/a');
  });

  it('finds its way in a cgroup namespace of its own', () => {
    // A pod's own mount shows its cgroup as the root; a host mount shows the way up.
    const pod = of(V2_MOUNTS, '0::/\n');
    const root = namespaceRoot('/kubepods/podx/c', '/');
    expect(root).toBe('/kubepods/podx/c');
    expect(pod.directory(0, '/kubepods/podx/c/sub', root)).toBe('/sys/fs/cgroup/sub');
    expect(pod.directory(0, '/kubepods/pody/c', root)).toBeNull();
    expect(pod.directory(0, '/kubepods/podx/cc', root)).toBeNull();
    const withHost = of(`${V2_MOUNTS}31 23 0:26 /../../.. /host/sys/fs/cgroup rw - cgroup2 cgroup2 rw\n`, '0::/\n');
    expect(withHost.directory(0, '/kubepods/pody/c', root)).toBe('/host/sys/fs/cgroup/kubepods/pody/c');
    expect(namespaceRoot('/kubepods/podx/c/inner', '/inner')).toBe('/kubepods/podx/c');
    expect(namespaceRoot('/c', '/c')).toBe('/');
  });

  it('reads this machine', () => {
    expect(['v1', 'hybrid', 'v2']).toContain(Hierarchies.read().mode);
  });
});
