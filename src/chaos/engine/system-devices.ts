/**
 * Block devices that the node itself lives on. I/O of these is never failed: what a file system makes of a failed write (it
 * becomes read-only) no end of a fault undoes.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a system keeps what it cannot run without. */
const MOUNT_POINTS: ReadonlySet<string> = new Set(['/', '/usr', '/etc', '/var', '/boot', '/boot/efi', '/efi']);
/** File systems over several devices of which none is in the mount's own number. */
const SPREAD: ReadonlySet<string> = new Set(['btrfs', 'zfs', 'bcachefs']);
const MINOR_BITS = 20;
/** DEVICES_MAX of bpf/chaos/alloc.bpf.c. */
export const DEVICES_MAX = 32;
const MAX_DEPTH = 8;

interface Files {
  readonly proc: string;
  readonly sys: string;
}

interface Mount {
  readonly major: number;
  readonly minor: number;
  readonly point: string;
  readonly type: string;
  readonly source: string;
}

const unescaped = (text: string): string => text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/** proc_pid_mountinfo(5). */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\d+ \d+ (\d+):(\d+) \S+ (\S+) .*? - (\S+) (\S+)/.exec(line);
    if (match === null) return [];
    const [, major, minor, point = '', type = '', source = ''] = match;
    return [{ major: Number(major), minor: Number(minor), point: unescaped(point), type, source: unescaped(source) }];
  });
}

/** As the kernel numbers devices. */
export const kernelDevice = (major: number, minor: number): number => (major << MINOR_BITS | minor) >>> 0;

/** It and all devices below it: a logical volume's disks get the same bios, in the same task. */
async function withThoseBelow(device: string, sys: string, into: Set<string>, depth = 0): Promise<void> {
  if (into.has(device) || depth > MAX_DEPTH) return;
  into.add(device);
  const slaves = join(sys, 'dev/block', device, 'slaves');
  for (const name of await readdir(slaves).catch(() => [])) {
    const below = (await readFile(join(slaves, name, 'dev'), 'utf8').catch(() => '')).trim();
    if (/^\d+:\d+$/.test(below)) await withThoseBelow(below, sys, into, depth + 1);
  }
}

async function deviceOf({ major, minor, point, type, source }: Mount, { proc }: Files): Promise<string | null> {
  if (major !== 0) return `${major}:${minor}`;
  if (SPREAD.has(type)) throw new Error(`${point} lies on ${type}, whose devices cannot be told: block I/O is not failed on this node`);
  if (!source.startsWith('/dev/')) return null;
  const { rdev } = await stat(join(proc, '1/root', source)).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`cannot tell the device of ${point} (${source}: ${error.code ?? error.message}): block I/O is not failed on this node`);
  });
  // As glibc packs them.
  return `${rdev >>> 8 & 0xfff}:${rdev & 0xff | rdev / 2 ** 12 & 0xfff00}`;
}

/**
 * As the kernel numbers them, each once. The mounts are those of process 1: with kbtop in a pod it must be the node's.
 * @throws Error one line, when they cannot be told
 */
export async function systemDevices(files: Files = { proc: '/proc', sys: '/sys' }): Promise<number[]> {
  const path = join(files.proc, '1/mountinfo');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`cannot tell the node's own devices (${path}: ${error.code ?? error.message}): block I/O is not failed`);
  });
  const found = new Set<string>();
  for (const mount of parseMountinfo(text)) {
    const device = MOUNT_POINTS.has(mount.point) ? await deviceOf(mount, files) : null;
    if (device !== null) await withThoseBelow(device, files.sys, found);
  }
  if (found.size > DEVICES_MAX) throw new Error(`the node lives on ${found.size} devices, more than the ${DEVICES_MAX} that can be left out: block I/O is not failed`);
  return [...found].map((device) => {
    const [major = 0, minor = 0] = device.split(':').map(Number);
    return kernelDevice(major, minor);
  });
}
