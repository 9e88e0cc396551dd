/** The two images that the tests' pods are made of, built by hand as an OCI image layout: no registry, no network. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buildWorkload } from '../workloads/build.ts';
import { tar, type TarEntry } from './tar.ts';

export const PAUSE_IMAGE = 'localhost/kbtop/pause:1';
export const BUSYBOX_IMAGE = 'localhost/kbtop/busybox:1';

/** Debian's busybox-static; a dynamic one finds no libraries in the image. */
export const BUSYBOX = '/bin/busybox';
const APPLETS = ['sh', 'sleep', 'cat', 'echo', 'ls', 'mkdir', 'touch', 'true', 'false', 'wget', 'nc', 'hostname', 'ps', 'id'];

interface Blob {
  readonly digest: string;
  readonly content: Buffer;
}

function blob(content: Buffer | string): Blob {
  const bytes = Buffer.from(content);
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, content: bytes };
}

interface Image {
  /** What stands in the layout's index. */
  readonly descriptor: object;
  readonly blobs: readonly Blob[];
}

function image(name: string, entrypoint: readonly string[], entries: readonly TarEntry[]): Image {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const layer = blob(tar(entries));
  const config = blob(JSON.stringify({
    architecture, os: 'linux', config: { Env: ['PATH=/bin'], Entrypoint: entrypoint },
    rootfs: { type: 'layers', diff_ids: [layer.digest] }, history: [],
  }));
  const manifest = blob(JSON.stringify({
    schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.content.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer.digest, size: layer.content.length }],
  }));
  return {
    descriptor: {
      mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: manifest.digest, size: manifest.content.length,
      platform: { architecture, os: 'linux' }, annotations: { 'io.containerd.image.name': name },
    },
    blobs: [layer, config, manifest],
  };
}

const directory = (path: string): TarEntry => ({ path, type: 'directory' });
const program = (path: string, file: string): TarEntry => ({ path, type: 'file', content: readFileSync(file), mode: 0o755 });
const text = (path: string, content: string): TarEntry => ({ path, type: 'file', content: Buffer.from(content), mode: 0o644 });

/** An archive for `ctr images import` with both images. @throws Error when busybox is missing or pause does not compile */
export function imageArchive(): Buffer {
  const mountPoints = ['dev/', 'etc/', 'proc/', 'sys/', 'tmp/'].map(directory);
  const images = [
    image(PAUSE_IMAGE, ['/pause'], [...mountPoints, program('pause', buildWorkload('pause', ['-static']))]),
    image(BUSYBOX_IMAGE, ['/bin/sh'], [
      ...mountPoints, directory('bin/'), text('etc/passwd', 'root:x:0:0:root:/:/bin/sh\n'), program('bin/busybox', BUSYBOX),
      ...APPLETS.map((name): TarEntry => ({ path: `bin/${name}`, type: 'link', target: 'busybox' })),
    ]),
  ];
  const blobs = images.flatMap((one) => one.blobs);
  return tar([
    text('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
    text('index.json', JSON.stringify({ schemaVersion: 2, manifests: images.map((one) => one.descriptor) })),
    directory('blobs/'), directory('blobs/sha256/'),
    ...blobs.map(({ digest, content }): TarEntry => ({ path: `blobs/${digest.replace(':', '/')}`, type: 'file', content, mode: 0o644 })),
  ]);
}
