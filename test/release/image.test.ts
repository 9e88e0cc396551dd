/** The image as a container runtime takes it: imported, run as kbtop with arguments, entered by exec. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../src/frame/frame.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { ARCHES } from '../../tools/lib/arch.mjs';
import { versionOf } from '../../tools/lib/release/tree.mjs';
import { type Ended, onlyLine } from '../cli/e2e/kbtop.ts';
import { noteCgroup } from '../runtime/place.ts';
import { Pod } from '../runtime/pods.ts';
import { Runtime, unavailable as noRuntime } from '../runtime/runtime.ts';
import { canLoadBpf, until } from '../workloads/cgroup.ts';
import { IMAGE, ROOT, listed, makeRelease, unavailable } from './release.ts';

const VERSION = versionOf(ROOT) as string;
const NAME = `localhost/kbtop:${VERSION}`;
const ENTRYPOINT = '/opt/kbtop/bin/kbtop';
const why = unavailable();
const whyNot = why ?? noRuntime() ?? (canLoadBpf ? null : 'no BTF');

interface Descriptor { readonly mediaType: string; readonly digest: string; readonly size: number }

describe.skipIf(why !== null)(`the image${why === null ? '' : ` (${why})`}`, () => {
  let layout: string;
  beforeAll(() => {
    makeRelease();
    layout = mkdtempSync(join(tmpdir(), 'kbtop-image-'));
    execFileSync('tar', ['--extract', `--file=${IMAGE}`, `--directory=${layout}`]);
  });
  afterAll(() => rmSync(layout, { recursive: true }));

  const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  function blob({ digest, size }: Descriptor): Buffer {
    const bytes = readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
    expect({ digest: sha256(bytes), size: bytes.length }).toEqual({ digest, size });
    return bytes;
  }
  const read = <T>(descriptor: Descriptor): T => JSON.parse(blob(descriptor).toString()) as T;

  it('is an OCI image layout in which every sum is right and nothing is left over', () => {
    expect(JSON.parse(readFileSync(join(layout, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
    const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as { manifests: readonly [Descriptor & { platform: object }] };
    const [first] = index.manifests;
    const architecture = ARCHES[process.arch as 'x64'].oci;
    expect(first.platform).toEqual({ architecture, os: 'linux' });
    const manifest = read<{ config: Descriptor; layers: Descriptor[]; annotations: Record<string, string> }>(first);
    const config = read<{ architecture: string; config: { Entrypoint: string[]; Labels: Record<string, string> }; rootfs: { diff_ids: string[] } }>(manifest.config);
    expect(config).toMatchObject({ architecture, config: { Entrypoint: [ENTRYPOINT], Labels: { 'org.opencontainers.image.version': VERSION } } });
    expect(manifest.layers.map((layer) => sha256(gunzipSync(blob(layer))))).toEqual(config.rootfs.diff_ids);
    expect(listed(join(layout, 'blobs/sha256'))).toEqual([first, manifest.config, ...manifest.layers].map(({ digest }) => digest.slice('sha256:'.length)).sort());
  });

  it('has the same tree as the tarball, and no program but kbtop', () => {
    const { manifests: [first] } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as { manifests: readonly [Descriptor] };
    const names = read<{ layers: Descriptor[] }>(first).layers.flatMap((layer) => execFileSync('tar', ['-tz'], { input: blob(layer), encoding: 'utf8' }).split('\n').filter((name) => name !== '' && !name.endsWith('/')));
    const tarball = execFileSync('tar', ['-tzf', IMAGE.replace('-oci.tar', '.tar.gz')], { encoding: 'utf8' }).split('\n').filter((name) => name !== '' && !name.endsWith('/'));
    expect(names.filter((name) => !name.startsWith('etc/')).sort()).toEqual(tarball.map((name) => name.replace(/^[^/]+/, 'opt/kbtop')).sort());
  });
});

describe.skipIf(whyNot !== null)(`a container of the image${whyNot === null ? '' : ` (${whyNot})`}`, () => {
  let runtime: Runtime;
  beforeAll(async () => {
    makeRelease();
    runtime = await Runtime.start();
    execFileSync(...ctr('images', 'import', '--snapshotter', runtime.snapshotter, IMAGE), { stdio: ['ignore', 'ignore', 'pipe'] });
  });
  afterAll(() => runtime.stop());

  /** It mounts snapshots itself, so it has to be where containerd is. */
  const ctr = (...args: readonly string[]): [string, string[]] => {
    const [command, ...rest] = [...runtime.inside, 'ctr', '--namespace', 'k8s.io', ...args];
    return [command ?? '', rest];
  };
  let serial = 0;
  /** ctr puts arguments in place of the entrypoint. @param options of ctr run, beside the usual ones */
  function contain(args: readonly string[], options: readonly string[] = []): { readonly id: string; readonly ended: Promise<Ended> } {
    const id = `kbtop-image-${process.pid}-${++serial}`;
    // A cgroup that goes with the runtime, whatever happens.
    noteCgroup(runtime.place, `/${id}`);
    const child = spawn(...ctr('run', '--rm', '--snapshotter', runtime.snapshotter, '--cgroup', `/${id}`, ...options, NAME, id, ENTRYPOINT, ...args), { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '', stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    return { id, ended: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    }) };
  }

  it('is kbtop, with the arguments', async () => {
    expect(await contain(['--version']).ended).toMatchObject({ code: 0, stdout: `${VERSION}\n` });
  });

  it('sees the node and its pods by name, when it is privileged and has the root of the host', async () => {
    await using pod = await Pod.start(runtime, { name: 'web-1', namespace: 'shop', containers: [{ name: 'app', command: ['sh', '-c', 'while :; do : < /bin/sh; sleep 0.02; done'] }] });
    const host = ['--privileged', '--net-host', '--mount', 'type=bind,src=/,dst=/host,options=rbind:ro'];
    const { code, stdout, stderr } = await contain(['snapshot', '--duration', '1s', '-o', 'json'], host).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { panes, containers } = JSON.parse(stdout) as Frame;
    for (const id of PANE_IDS) expect(panes[id].state, id).toMatchObject({ status: 'ok' });
    const { key } = pod.container('app');
    expect(containers[key]).toMatchObject({ namespace: 'shop', pod: 'web-1', container: 'app' });
    expect(panes.opens.rows.some((row) => row.container === key && row.path === '/bin/sh')).toBe(true);
  });

  it('says what it lacks when it is an ordinary container', async () => {
    const ended = await contain(['snapshot']).ended;
    expect(ended.code).toBe(3);
    expect(onlyLine(ended)).toContain('BPF needs');
  });

  it('is entered by exec, where kbtop is found by its name', async () => {
    const { id, ended } = contain(['snapshot', '--duration', '1h'], ['--privileged']);
    const exec = (...args: readonly string[]): string => execFileSync(...ctr('tasks', 'exec', '--exec-id', 'one', id, ...args), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const said = await until('the container', () => {
      try {
        return exec('kbtop', '--version');
      } catch {
        return null;
      }
    });
    expect(said).toBe(`${VERSION}\n`);
    execFileSync(...ctr('tasks', 'kill', '--signal', 'SIGINT', id));
    expect(await ended).toMatchObject({ code: 130, stdout: '' });
  });
});
