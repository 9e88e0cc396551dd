/** The kernels that the tests run on, and where each comes from. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildKernel } from './build.ts';
import { dependency, NotToBeHad, unpacked } from './debian.ts';

/** What QEMU boots. */
export interface KernelImage {
  /** Path of the bzImage. */
  readonly vmlinuz: string;
  /** Directory that holds lib/modules/RELEASE; null when all is built in. */
  readonly moduleRoot: string | null;
  /** For people: where it was found. */
  readonly origin: string;
}

export interface Search {
  readonly cache: string;
  /** Ready images with their SHA256SUMS; need not exist. */
  readonly shared: string;
  readonly say: (line: string) => void;
}

export interface Kernel {
  readonly id: string;
  readonly title: string;
  /** Names a ready image: a bzImage, or, for a stock kernel, the directory of its unpacked package. */
  readonly variable: string;
  /** Started without being asked for by name. */
  readonly byDefault: (search: Search) => boolean;
  /** @throws NotToBeHad */
  readonly find: (search: Search) => Promise<KernelImage>;
}

const variableOf = (id: string): string => `KBTOP_VM_KERNEL_${id.toUpperCase().replaceAll(/\W/g, '_')}`;

/** The kernel with error injection: given, else shared, else built. */
function injection(version: string, buildUnasked: boolean): Kernel {
  const id = `injection-${version}`;
  const variable = variableOf(id);
  return {
    id,
    title: `Linux ${version} with error injection`,
    variable,
    byDefault: (search) => buildUnasked || process.env[variable] !== undefined || sharedImage(search.shared, version) !== null,
    find: async (search) => {
      const given = process.env[variable];
      if (given !== undefined) return { vmlinuz: existing(given, variable), moduleRoot: null, origin: `$${variable}` };
      const ready = sharedImage(search.shared, version);
      if (ready !== null) return { vmlinuz: verified(ready, search.shared), moduleRoot: null, origin: search.shared };
      return { vmlinuz: await buildKernel(search.cache, `linux-source-${version}`, search.say), moduleRoot: null, origin: `built from linux-source-${version}` };
    },
  };
}

/** Debian's own kernel for clouds: error injection off, BPF LSM on. */
function stock(version: string, meta: string): Kernel {
  const id = `stock-${version}`;
  const variable = variableOf(id);
  return {
    id,
    title: `Debian's Linux ${version}`,
    variable,
    byDefault: () => true,
    find: async ({ cache, say }) => {
      const given = process.env[variable];
      if (given !== undefined) return inPackage(existing(given, variable), `$${variable}`);
      const found = await dependency(meta, /^linux-image-[\d.].*-cloud-amd64$/);
      return inPackage(await unpacked(cache, found, say), `package ${found.name} ${found.version}`);
    },
  };
}

export const KERNELS: readonly Kernel[] = [
  injection('6.1', true),
  stock('6.1', 'linux-image-cloud-amd64'),
  injection('6.12', false),
  stock('6.12', 'linux-image-6.12-cloud-amd64'),
];

function existing(path: string, variable: string): string {
  if (!existsSync(path)) throw new NotToBeHad(`${variable} names ${path}, which is not there`);
  return path;
}

/** Of several of one version, e.g. 6.1.190 and 6.1.192, the newest. */
function sharedImage(directory: string, version: string): string | null {
  if (!existsSync(directory)) return null;
  const prefix = `bzImage-${version}.`;
  const names = readdirSync(directory).filter((name) => name.startsWith(prefix));
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1) ?? null;
}

/** An image is taken only with its checksum: half a copy boots, and fails later. */
function verified(name: string, directory: string): string {
  const path = join(directory, name);
  const sums = existsSync(join(directory, 'SHA256SUMS')) ? readFileSync(join(directory, 'SHA256SUMS'), 'utf8') : '';
  const wanted = sums.split('\n').map((line) => /^([0-9a-f]{64}) [ *](.+)$/.exec(line)).find((line) => line?.[2] === name)?.[1];
  if (wanted === undefined) throw new NotToBeHad(`${path} is not in the SHA256SUMS beside it`);
  const is = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (is !== wanted) throw new NotToBeHad(`${path} is damaged: its checksum is not that of the SHA256SUMS beside it`);
  return path;
}

function inPackage(directory: string, origin: string): KernelImage {
  const boot = join(directory, 'boot');
  const name = existsSync(boot) && statSync(boot).isDirectory() ? readdirSync(boot).find((file) => file.startsWith('vmlinuz-')) : undefined;
  if (name === undefined) throw new NotToBeHad(`${directory} holds no boot/vmlinuz-*: it is not an unpacked kernel package`);
  return { vmlinuz: join(boot, name), moduleRoot: directory, origin };
}
