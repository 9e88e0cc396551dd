import { describe, expect, it } from 'vitest';
import { dockerPlace, PLACES } from '../../../src/identity/oci/places.ts';
import { describeOci, type OciFacts } from '../../../src/identity/oci/state.ts';

const BASE = '/run/containerd/io.containerd.runtime.v2.task';
const tasks = PLACES.find(({ base }) => base === BASE) ?? dockerPlace(BASE);
const nothing: OciFacts = { ready: true, hostRoot: '/host', places: [], bases: ['/run/a', '/var/b'], refusals: [], unwatched: [], hung: [], failure: null };
const place = (name: string, hits = 0): OciFacts['places'][number] => ({ spec: tasks, directory: `/host${BASE}/${name}`, hostPath: `${BASE}/${name}`, hits });
const docker = { spec: dockerPlace('/var/lib/docker/containers'), directory: '/host/var/lib/docker/containers', hostPath: '/var/lib/docker/containers', hits: 0 };

describe('the state of the source of runtime files', () => {
  it.each<[string, Partial<OciFacts>, string, string | null]>([
    ['starting', { ready: false }, 'starting: looking for the files of container runtimes', null],
    ['nothing there', {}, 'absent: no container runtime\'s files: looked for /host/run/a, /host/var/b', 'run kbtop on the node, or mount the host\'s / into the pod and name it with --host-root'],
    ['places', { places: [place('k8s.io'), docker, place('default')] }, `ok: reads /host${BASE} (default, k8s.io), /host/var/lib/docker/containers`, null],
    ['a place that may not be listed', { refusals: [{ path: '/host/run/a', code: 'EACCES' }] }, 'failing: cannot read /host/run/a: permission denied', 'run kbtop as root'],
    ['files that may not be read', { places: [docker], failure: { path: '/x/config.json', code: 'EACCES' } }, 'failing: cannot read /x/config.json: permission denied', 'run kbtop as root'],
    ['one odd file among others', { places: [place('k8s.io', 7)], failure: { path: '/x/config.json', code: 'EFTYPE' } }, `ok: reads /host${BASE} (k8s.io); cannot read /x/config.json: not a regular file`, null],
    ['no watches left', { places: [docker], unwatched: [{ path: '/d', code: 'ENOSPC' }, { path: '/e', code: 'ENOSPC' }] }, 'ok: reads /host/var/lib/docker/containers; /d and 1 more cannot be watched (ENOSPC), so the shortest-lived containers may be missed', 'raise fs.inotify.max_user_watches'],
    ['no instances left', { places: [docker], unwatched: [{ path: '/d', code: 'EMFILE' }] }, 'ok: reads /host/var/lib/docker/containers; /d cannot be watched (EMFILE), so the shortest-lived containers may be missed', 'raise fs.inotify.max_user_instances'],
    ['a disk that hangs', { places: [docker], hung: ['/var'] }, 'failing: /host/var does not answer; nothing more is read there until it does', 'look for a dead disk or network file system'],
  ])('%s', (_, facts, line, fix) => {
    const state = describeOci({ ...nothing, ...facts });
    expect([`${state.status}: ${state.reason}`, state.fix]).toEqual([line, fix]);
  });
});
