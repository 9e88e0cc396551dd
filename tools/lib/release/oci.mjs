/**
 * The tree as a container image, without Docker: an OCI image layout in one tar archive, for `ctr images import`, skopeo,
 * podman load and registries' clients. Two layers, so that a new version of kbtop does not bring Node along again.
 */
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ARCHES } from '../arch.mjs';
import { gzip, publish, sha256, tar } from './archive.mjs';

/** Where the tree lies in the image. */
const PLACE = 'opt/kbtop';
const RUNTIME = ['lib', 'node'];
const TYPE = 'application/vnd.oci.image';

/** Directories that a runtime mounts over or kbtop writes to, and the one user. */
function skeleton(directory) {
  const directories = ['dev', 'etc', 'opt', 'proc', 'root', 'run', 'sys', 'tmp', 'var', 'var/log'];
  for (const path of directories) mkdirSync(join(directory, path), { recursive: true });
  writeFileSync(join(directory, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/false\n');
  writeFileSync(join(directory, 'etc/group'), 'root:x:0:\n');
  // Whatever the umask is.
  for (const path of directories) chmodSync(join(directory, path), path === 'tmp' ? 0o1777 : path === 'root' ? 0o700 : 0o755);
  for (const path of ['etc/passwd', 'etc/group']) chmodSync(join(directory, path), 0o644);
  return directories.filter((path) => !path.includes('/'));
}

/**
 * @param {string} file archive to make
 * @param {object} image
 * @param {string} image.tree
 * @param {string[]} image.names of the tree's top directory
 * @param {string} image.scratch directory for what is made on the way
 */
export async function makeImage(file, { tree, names, scratch, arch, version, license }) {
  const layout = join(scratch, 'layout');
  const blobs = join(layout, 'blobs/sha256');
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(blobs, { recursive: true });

  const layer = async (name, comment, directory, entries, options) => {
    const plain = join(scratch, `${name}.tar`);
    await tar(plain, directory, entries, options);
    const diff = sha256(plain);
    const packed = await gzip(plain);
    const [digest, { size }] = [sha256(packed), statSync(packed)];
    publish(packed, join(blobs, digest));
    return { diff: `sha256:${diff}`, comment, descriptor: { mediaType: `${TYPE}.layer.v1.tar+gzip`, digest: `sha256:${digest}`, size } };
  };
  const base = join(scratch, 'base');
  const layers = await Promise.all([
    layer('base', 'directories and the one user', base, skeleton(base), { mode: null }),
    layer('runtime', 'Node and its libraries', tree, RUNTIME, { prefix: `${PLACE}/` }),
    layer('kbtop', `kbtop ${version}`, tree, names.filter((name) => !RUNTIME.includes(name)), { prefix: `${PLACE}/` }),
  ]);

  const document = (mediaType, value) => {
    const text = JSON.stringify(value);
    const digest = createHash('sha256').update(text).digest('hex');
    writeFileSync(join(blobs, digest), text);
    return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
  };
  const created = new Date(Number(process.env.SOURCE_DATE_EPOCH || 0) * 1000).toISOString();
  const labels = {
    'org.opencontainers.image.title': 'kbtop', 'org.opencontainers.image.version': version, 'org.opencontainers.image.licenses': license,
    'org.opencontainers.image.description': 'top for Kubernetes nodes, from BPF',
  };
  const platform = { architecture: ARCHES[arch].oci, os: 'linux' };
  const config = document(`${TYPE}.config.v1+json`, {
    created, ...platform,
    config: {
      User: '0:0', WorkingDir: '/', Entrypoint: [`/${PLACE}/bin/kbtop`], Labels: labels,
      // What kubectl exec and a debug container find by name. The image has no locale but this one, which libc has built in.
      Env: [`PATH=/${PLACE}/bin`, 'LANG=C.UTF-8', 'HOME=/root'],
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diff }) => diff) },
    history: layers.map(({ comment }) => ({ created, created_by: 'npm run dist', comment })),
  });
  const manifest = document(`${TYPE}.manifest.v1+json`, { schemaVersion: 2, mediaType: `${TYPE}.manifest.v1+json`, config, layers: layers.map(({ descriptor }) => descriptor), annotations: labels });
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(join(layout, 'index.json'), JSON.stringify({
    schemaVersion: 2, mediaType: `${TYPE}.index.v1+json`,
    manifests: [{ ...manifest, platform, annotations: { 'org.opencontainers.image.ref.name': version, 'io.containerd.image.name': `localhost/kbtop:${version}` } }],
  }));
  const archive = join(scratch, 'image.tar');
  await tar(archive, layout, ['oci-layout', 'index.json', 'blobs']);
  publish(archive, file);
  rmSync(scratch, { recursive: true, force: true });
}
