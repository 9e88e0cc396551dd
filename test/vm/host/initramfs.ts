/** The first files of the guest: busybox, the script that finds the host's files, and the modules it needs for that. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CpioArchive } from './cpio.ts';
import { NotToBeHad } from './debian.ts';
import { runCommand } from './run-command.ts';

/** How the host's files reach the guest. */
export type Share = 'virtiofs' | '9p';

const MODULES: Readonly<Record<Share, readonly string[]>> = {
  virtiofs: ['virtio_pci', 'virtio_console', 'virtiofs', 'overlay'],
  '9p': ['virtio_pci', 'virtio_console', '9p', '9pnet_virtio', 'overlay'],
};

/** @param job what the guest's scripts are told, by variable */
export async function initramfs(share: Share, moduleRoot: string | null, job: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = new CpioArchive();
  for (const directory of ['dev', 'proc', 'sys', 'lower', 'layer', 'new']) archive.directory(directory);
  archive.device('dev/console', 5, 1);
  archive.file('bin/busybox', readFileSync(busybox()));
  archive.file('init', readFileSync(join(import.meta.dirname, '..', 'guest', 'init')));
  archive.file('kbtop/job', Object.entries(job).map(([name, value]) => `${name}=${quoted(value)}\n`).join(''));
  const modules = moduleRoot === null ? [] : await modulesFor(MODULES[share], moduleRoot);
  for (const module of modules) archive.file(`kbtop/modules/${module.name}`, module.content);
  archive.file('kbtop/modules/order', modules.map((module) => `${module.name}\n`).join(''));
  return archive.bytes();
}

/** One word of a shell command. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function busybox(): string {
  const path = ['/bin/busybox', '/usr/bin/busybox'].find((place) => existsSync(place));
  if (path === undefined) throw new NotToBeHad('missing: busybox (package busybox-static)');
  return path;
}

async function modulesFor(wanted: readonly string[], root: string): Promise<{ readonly name: string; readonly content: Buffer }[]> {
  const parent = join(root, 'lib', 'modules');
  const release = readdirSync(parent)[0];
  if (release === undefined) throw new NotToBeHad(`${parent} is empty`);
  const directory = join(parent, release);
  const list = join(directory, 'modules.dep');
  if (!existsSync(list)) {
    // The package leaves that to its installation.
    const { code, lastLine } = await runCommand('depmod', ['-b', root, release]);
    if (code !== 0) throw new NotToBeHad(`cannot list the modules of ${release} (depmod, package kmod): ${lastLine}`);
  }
  const builtIn = readFileSync(join(directory, 'modules.builtin'), 'utf8');
  const files = loadOrder(wanted, readFileSync(list, 'utf8'), builtIn, release);
  return await Promise.all(files.map(async (file) => ({ name: basename(file).replace(/\.xz$/, ''), content: await moduleBytes(join(directory, file)) })));
}

async function moduleBytes(path: string): Promise<Buffer> {
  if (!path.endsWith('.xz')) return readFileSync(path);
  return await new Promise((resolve, reject) => {
    execFile('xz', ['-dc', path], { encoding: 'buffer', maxBuffer: 64 << 20 }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

const nameOf = (file: string): string => basename(file).replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');

/**
 * Module files in the order to load them, each once.
 * @param dependencies of depmod: lines "file: file file", what is needed first standing last @param builtIn files, one a line
 * @throws NotToBeHad when the kernel has one neither as a module nor built in
 */
export function loadOrder(wanted: readonly string[], dependencies: string, builtIn: string, release: string): string[] {
  const needs = new Map<string, string[]>();
  for (const line of dependencies.split('\n')) {
    const [file, rest] = line.split(':');
    if (file !== undefined && rest !== undefined) needs.set(nameOf(file), [file, ...rest.trim().split(' ').filter(Boolean)]);
  }
  const compiledIn = new Set(builtIn.split('\n').filter(Boolean).map(nameOf));
  const order = new Set<string>();
  for (const name of wanted) {
    const files = needs.get(name);
    if (files === undefined && !compiledIn.has(name)) throw new NotToBeHad(`kernel ${release} has no ${name}${name === '9p' ? ': run this as root, for virtiofs' : ''}`);
    for (const file of (files ?? []).toReversed()) order.add(file);
  }
  return [...order];
}
