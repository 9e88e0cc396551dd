import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContainerKind } from '../../src/frame/frame.ts';
import { parseCgroupPath } from '../../src/identity/cgroup-path.ts';

const U = '7e299a8d-c8cc-4b92-ad99-98e453d358e8';
const UNIT_UID = U.replaceAll('-', '_');
const STATIC = '2d2de79dbb1c4f0e9a729a196c4723b6';
const C = '05ace0336205ec28b4084793ada1de91b6a9c294e55e99086bdec24a811f38a4';
const N = 'f00dfeed6205ec28b4084793ada1de91b6a9c294e55e99086bdec24a811f38a4';
const D = 'dddddddd6205ec28b4084793ada1de91b6a9c294e55e99086bdec24a811f38a4';

interface Expected { kind: ContainerKind; uid?: string; cid?: string; qos?: string; name?: string }
const pod = (qos?: string, cid: string | undefined = C, uid = U): Expected => ({ kind: 'pod', uid, ...(cid && { cid }), ...(qos && { qos }) });
const burstable = 'kubepods-burstable.slice';

const CASES: readonly [what: string, path: string, expected: Expected][] = [
  ['cgroupfs, burstable', `/kubepods/burstable/pod${U}/${C}`, pod('Burstable')],
  ['cgroupfs, besteffort', `/kubepods/besteffort/pod${U}/${C}`, pod('BestEffort')],
  ['cgroupfs, guaranteed has no class level', `/kubepods/pod${U}/${C}`, pod('Guaranteed')],
  ['cgroupfs, CRI-O', `/kubepods/burstable/pod${U}/crio-${C}`, pod('Burstable')],
  ['cgroupfs, CRI-O monitor', `/kubepods/burstable/pod${U}/crio-conmon-${C}`, { kind: 'sandbox', uid: U, qos: 'Burstable', name: 'conmon' }],
  ['cgroupfs, static pod', `/kubepods/burstable/pod${STATIC}/${C}`, pod('Burstable', C, STATIC)],
  ['the pod itself', `/kubepods/besteffort/pod${U}`, { kind: 'pod', uid: U, qos: 'BestEffort' }],
  ['systemd, containerd', `/kubepods.slice/${burstable}/kubepods-burstable-pod${UNIT_UID}.slice/cri-containerd-${C}.scope`, pod('Burstable')],
  ['systemd, guaranteed', `/kubepods.slice/kubepods-pod${UNIT_UID}.slice/cri-containerd-${C}.scope`, pod('Guaranteed')],
  ['systemd, CRI-O', `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${UNIT_UID}.slice/crio-${C}.scope`, pod('BestEffort')],
  ['systemd, CRI-O with crun', `/kubepods.slice/${burstable}/kubepods-burstable-pod${UNIT_UID}.slice/crio-${C}.scope/container`, pod('Burstable')],
  ['systemd, CRI-O monitor', `/kubepods.slice/${burstable}/kubepods-burstable-pod${UNIT_UID}.slice/crio-conmon-${C}.scope`, { kind: 'sandbox', uid: U, qos: 'Burstable', name: 'conmon' }],
  ['systemd, cri-dockerd', `/kubepods.slice/${burstable}/kubepods-burstable-pod${UNIT_UID}.slice/docker-${C}.scope`, pod('Burstable')],
  ['systemd, static pod', `/kubepods.slice/${burstable}/kubepods-burstable-pod${STATIC}.slice/cri-containerd-${C}.scope`, pod('Burstable', C, STATIC)],
  ['driver mismatch', `/system.slice/containerd.service/kubepods-burstable-pod${UNIT_UID}.slice:cri-containerd:${C}`, pod('Burstable')],
  ['driver mismatch, monitor', `/system.slice/crio.service/kubepods-burstable-pod${UNIT_UID}.slice:crio-conmon:${C}`, { kind: 'sandbox', uid: U, qos: 'Burstable', name: 'conmon' }],
  ['kubelet under another root', `/container.slice/container-kubepods.slice/container-kubepods-besteffort.slice/container-kubepods-besteffort-pod${UNIT_UID}.slice/cri-containerd-${C}.scope`, pod('BestEffort')],
  ['inside a container with its own tree', `/kubepods/burstable/pod${U}/${C}/init.scope`, pod('Burstable')],
  ['Docker inside a pod belongs to the pod', `/kubepods/burstable/pod${U}/${C}/docker/${D}`, pod('Burstable')],
  ['kind, systemd', `/system.slice/docker-${N}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${UNIT_UID}.slice/cri-containerd-${C}.scope`, pod('Burstable')],
  ['kind, cgroupfs', `/docker/${N}/kubelet/kubepods/besteffort/pod${U}/${C}`, pod('BestEffort')],
  ['k3d', `/docker/${N}/kubepods/pod${U}/${C}`, pod('Guaranteed')],
  ['a kind node in a pod: the inner pod', `/kubepods/burstable/pod${STATIC}/${N}/docker/${D}/kubelet/kubepods/pod${U}/${C}`, pod('Guaranteed')],
  ['the kind node itself', `/docker/${N}/system.slice/containerd.service`, { kind: 'container', cid: N }],
  ['another cgroup namespace', `/../cri-containerd-${C}.scope`, { kind: 'container', cid: C }],
  ['another cgroup namespace, pod seen', `/../../pod${U}/${C}`, pod(undefined)],
  ['deleted', `/kubepods/burstable/pod${U}/${C} (deleted)`, pod('Burstable')],
  ['Docker, cgroupfs', `/docker/${C}`, { kind: 'container', cid: C }],
  ['Docker, systemd', `/system.slice/docker-${C}.scope`, { kind: 'container', cid: C }],
  ['Docker in Docker: the outer one', `/docker/${N}/docker/${C}`, { kind: 'container', cid: N }],
  ['Docker, driver mismatch', `/system.slice:docker:${C}`, { kind: 'container', cid: C }],
  ['nerdctl', `/system.slice/nerdctl-${C}.scope`, { kind: 'container', cid: C }],
  ['podman', `/machine.slice/libpod-${C}.scope`, { kind: 'container', cid: C }],
  ['podman with crun', `/machine.slice/libpod-${C}.scope/container`, { kind: 'container', cid: C }],
  ['podman, cgroupfs', `/libpod_parent/libpod-${C}`, { kind: 'container', cid: C }],
  ['podman pod: its container, not the pod', `/machine.slice/machine-libpod_pod_${D}.slice/libpod-${C}.scope`, { kind: 'container', cid: C }],
  ['podman pod, cgroupfs', `/libpod_parent/libpod_pod_${D}/libpod-${C}`, { kind: 'container', cid: C }],
  ['podman monitor', `/machine.slice/libpod-conmon-${C}.scope`, { kind: 'service', name: `libpod-conmon-${C}.scope` }],
  ['podman, rootless', `/user.slice/user-1000.slice/user@1000.service/user.slice/podman-4242.scope/${C}`, { kind: 'container', cid: C }],
  ['podman, rootless with crun', `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${C}.scope/container`, { kind: 'container', cid: C }],
  ['ECS', `/ecs/0a1b2c3d/${C}`, { kind: 'container', cid: C }],
  ['LXC', '/lxc/web', { kind: 'container', name: 'web' }],
  ['LXC 4', '/lxc.payload.web/system.slice/nginx.service', { kind: 'container', name: 'web' }],
  ['LXC monitor', '/lxc.monitor.web', { kind: 'service', name: 'lxc.monitor.web' }],
  ['nspawn', '/machine.slice/systemd-nspawn@debian.service/payload', { kind: 'container', name: 'debian' }],
  ['libvirt', '/machine.slice/machine-qemu\\x2d1\\x2dvm.scope', { kind: 'container', name: 'qemu-1-vm' }],
  ['service', '/system.slice/nginx.service', { kind: 'service', name: 'nginx.service' }],
  ['templated service', '/system.slice/system-getty.slice/getty@tty1.service', { kind: 'service', name: 'getty@tty1.service' }],
  ['inside a service', '/system.slice/foo.service/worker', { kind: 'service', name: 'foo.service' }],
  ['kubelet', '/system.slice/kubelet.service', { kind: 'service', name: 'kubelet.service' }],
  ['init', '/init.scope', { kind: 'service', name: 'init.scope' }],
  ['Talos', '/podruntime/kubelet', { kind: 'service', name: 'kubelet' }],
  ['slice', '/system.slice', { kind: 'service', name: 'system.slice' }],
  ['user session', '/user.slice/user-1000.slice/session-3.scope', { kind: 'user', name: 'user-1000.slice/session-3.scope' }],
  ['user service', '/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service', { kind: 'user', name: 'user-1000.slice/foo.service' }],
  ['user slice', '/user.slice/user-0.slice', { kind: 'user', name: 'user-0.slice' }],
  ['host', '/', { kind: 'host' }],
  ['host, deleted', '/ (deleted)', { kind: 'host' }],
  ['nothing', '', { kind: 'host' }],
  ['someone else\'s', '/custom/batch', { kind: 'unknown', name: 'batch' }],
  ['63 hex digits', `/docker/${C.slice(1)}`, { kind: 'unknown', name: C.slice(1) }],
  ['65 hex digits', `/docker/0${C}`, { kind: 'unknown', name: `0${C}` }],
  ['64 letters that are not hex', `/docker/${'z'.repeat(64)}`, { kind: 'unknown', name: 'z'.repeat(64) }],
  ['uid with mixed separators', `/kubepods/pod${U.replace('-', '_')}/x`, { kind: 'unknown', name: 'x' }],
  ['"pod" inside a word', `/tripod${U}/x`, { kind: 'unknown', name: 'x' }],
  ['a uid with a tail', `/kubepods/pod${U}ff/x`, { kind: 'unknown', name: 'x' }],
];

describe('cgroup paths', () => {
  it.each(CASES)('%s: %s', (_, path, expected) => {
    const { kind, podUid, containerId, qos, name } = parseCgroupPath(path);
    expect({ kind, podUid, containerId, qos, name }).toEqual({
      kind: expected.kind, podUid: expected.uid ?? null, containerId: expected.cid ?? null, qos: expected.qos ?? null, name: expected.name ?? null,
    });
  });

  it('tells every container on the way, outermost first', () => {
    const { chain } = parseCgroupPath(`/docker/${N}/kubelet/kubepods/burstable/pod${U}/${C}/docker/${D}`);
    expect(chain.map((one) => [one.podUid, one.containerId])).toEqual([[null, N], [U, C], [null, D]]);
  });
});

describe('any path at all', () => {
  const hex = (n: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: n, maxLength: n });
  const word = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }), hex(32), hex(64), fc.constantFrom('kubepods', 'kubepods.slice', 'burstable', 'pod', 'docker', '..', '.', ':', '-pod', 'crio-conmon-', '.slice', '.scope', ' (deleted)'),
    fc.uuid(), fc.uuid().map((uid) => `pod${uid}`), fc.uuid().map((uid) => `kubepods-pod${uid.replaceAll('-', '_')}.slice`), hex(64).map((id) => `cri-containerd-${id}.scope`),
  );
  const path = fc.array(fc.tuple(fc.constantFrom('/', '/', '/', ':', '', '-'), word)).map((parts) => parts.flat().join(''));

  /** Every uid that stands after "pod" at a word edge, and every run of exactly 64 hex digits that is not a monitor's. */
  function written(text: string): { uids: string[]; ids: string[] } {
    const uid = /(?:^|[/:-])pod([0-9a-f]{32}|[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})(?:\.slice)?(?=$|[/:]| \(deleted\)$)/g;
    const id = /(?<![0-9a-f])(?<!conmon[-_:])[0-9a-f]{64}(?![0-9a-f])/g;
    return { uids: Array.from(text.matchAll(uid), (match) => (match[1] ?? '').replaceAll('_', '-')), ids: Array.from(text.matchAll(id), (match) => match[0]) };
  }

  it('never throws, and never invents a pod or a container', () => {
    fc.assert(fc.property(path, (text) => {
      const { kind, podUid, containerId, chain } = parseCgroupPath(text);
      const { uids, ids } = written(text);
      expect(podUid !== null).toBe(kind === 'pod' || kind === 'sandbox');
      expect(chain.filter((one) => one.podUid === null && one.containerId === null)).toEqual([]);
      expect([null, ...uids]).toContain(podUid);
      expect([null, ...ids]).toContain(containerId);
    }), { numRuns: 5_000 });
  });

  it('reads back what a kubelet writes', () => {
    const qos = fc.constantFrom('Burstable', 'BestEffort', 'Guaranteed');
    fc.assert(fc.property(fc.uuid(), hex(64), qos, fc.boolean(), (uid, id, wanted, systemd) => {
      const level = wanted === 'Guaranteed' ? '' : wanted.toLowerCase();
      const text = systemd
        ? `/kubepods.slice/${level && `kubepods-${level}.slice/`}kubepods-${level && `${level}-`}pod${uid.replaceAll('-', '_')}.slice/cri-containerd-${id}.scope`
        : `/kubepods/${level && `${level}/`}pod${uid}/${id}`;
      expect(parseCgroupPath(text)).toMatchObject({ kind: 'pod', podUid: uid, containerId: id, qos: wanted });
    }));
  });
});
