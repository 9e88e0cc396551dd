/** The same client against a real containerd, without pods: is the protocol spoken, are the messages' fields the API's own? */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, gunzipSync } from 'node:zlib';
import descriptor from 'protobufjs/ext/descriptor.js';
import { describe, expect, it } from 'vitest';
import { connect } from '../../../src/identity/cri/client.ts';
import { MESSAGES } from '../../../src/identity/cri/messages.ts';
import { after, criSource, temporaryDirectory, until } from './support.ts';

const CONTAINERD = ['/usr/bin/containerd', '/usr/local/bin/containerd'].find((path) => existsSync(path)) ?? null;

interface Described {
  readonly package: string;
  readonly messageType: readonly { readonly name: string; readonly field: readonly { readonly name: string; readonly number: number; readonly type: number; readonly label: number; readonly typeName: string }[] }[];
}

/** The API's description of itself, which every program made with it carries, packed. */
function describedIn(program: string): Described | null {
  const bytes = readFileSync(program);
  const magic = Buffer.from('1f8b08000000000002ff', 'hex');
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    try {
      const unpacked = gunzipSync(bytes.subarray(at, at + (256 << 10)), { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 20 });
      const described = descriptor.FileDescriptorProto.decode(unpacked) as unknown as Described;
      if (described.package === 'runtime.v1') return described;
    } catch {
      // Some other packed bytes.
    }
  }
  return null;
}

/** google.protobuf.FieldDescriptorProto.Type; kbtop reads enums as numbers. */
const TYPES: Readonly<Record<number, string>> = { 5: 'int32', 8: 'bool', 9: 'string', 13: 'uint32', 14: 'int32' };
const MESSAGE = 11;
const REPEATED = 3;
/** Came with Kubernetes 1.28: containerd 1.6 does not know it. */
const NEWER = 'ImageSpec.userSpecifiedImage';

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const described = CONTAINERD === null ? null : describedIn(CONTAINERD);

describe.skipIf(described === null)('the messages', () => {
  it.each(Object.entries(MESSAGES))('%s has the fields that containerd\'s own description of the API gives it', (name, { fields }) => {
    const theirs = new Map(described?.messageType.find((message) => message.name === name)?.field.map((field) => [camel(field.name), field]));
    const ours = Object.entries<{ readonly id: number; readonly type: string; readonly rule?: string; readonly keyType?: string }>(fields);
    for (const [field, { id, type, rule, keyType }] of ours.filter(([one]) => `${name}.${one}` !== NEWER)) {
      const their = theirs.get(field);
      const wanted = keyType === undefined ? type : `${field[0]?.toUpperCase()}${field.slice(1)}Entry`;
      expect([their?.number, their?.type === MESSAGE ? their.typeName.split('.').at(-1) : TYPES[their?.type ?? 0], their?.label === REPEATED], field)
        .toEqual([id, wanted, keyType !== undefined || rule === 'repeated']);
    }
  });
});

/** A containerd of our own: nothing of it outside a temporary directory. */
async function containerd(disabled: readonly string[] = []): Promise<string> {
  const directory = temporaryDirectory();
  const path = join(directory, 'containerd.sock');
  const others = ['aufs', 'btrfs', 'devmapper', 'zfs'].map((name) => `io.containerd.snapshotter.v1.${name}`);
  mkdirSync(join(directory, 'cni'));
  writeFileSync(join(directory, 'config.toml'), `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ${JSON.stringify([...others, ...disabled])}
[grpc]
  address = "${path}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    conf_dir = "${directory}/cni"
    bin_dir = "${directory}/cni"
`);
  const child = spawn(CONTAINERD ?? '', ['--config', join(directory, 'config.toml'), '--log-level', 'error'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await until(() => existsSync(path) || child.exitCode !== null, 'its socket');
  return path;
}

describe.skipIf(CONTAINERD === null || process.getuid?.() !== 0)('a real containerd', () => {
  it('answers every call: its version, empty lists, and that a container is not there', async () => {
    const path = await containerd();
    const runtime = connect(path, () => {});
    after(() => runtime.close());
    // It takes connections a little before its plugins are ready.
    let version = null;
    for (let i = 0; i < 50 && version === null; i++) version = await runtime.version(5_000).catch(() => sleep(20, null));
    expect(version).toMatchObject({ name: 'containerd', version: expect.stringMatching(/^v?\d+\.\d+/) });
    const id = 'd'.repeat(64);
    for (const filter of [null, { id }, { podUid: 'u' }]) {
      expect([filter, await runtime.sandboxes(filter, 5_000), await runtime.containers(filter, 5_000)]).toEqual([filter, [], []]);
    }
    expect(await runtime.images(5_000)).toEqual(new Map());
    await expect(runtime.imageOf(id, 5_000)).rejects.toMatchObject({ code: 5 });
  });

  it('is a source that is well, and has nothing to tell', async () => {
    const path = await containerd();
    const { source, told } = criSource(`unix://${path}`);
    await source.start();
    await until(() => source.state.status === 'ok', 'its answer');
    expect(source.state.reason).toMatch(/^containerd v?\d.* at .*: 0 pods, 0 containers$/);
    source.notice?.({ podUid: null, containerId: 'd'.repeat(64) });
    source.notice?.({ podUid: '0b1c6a52-6a3b-4d0e-9f3e-0c4f9a6d7e11', containerId: null });
    await sleep(200);
    expect([source.state.status, told]).toEqual(['ok', []]);
  });

  it('without its CRI plugin says that it offers none', async () => {
    const path = await containerd(['io.containerd.grpc.v1.cri']);
    const { source } = criSource(path);
    await source.start();
    await until(() => source.state.reason.includes('offers no CRI v1'), 'its answer');
    expect(source.state.status).toBe('failing');
    expect(source.state.fix).toContain('--runtime-endpoint');
  });
});
