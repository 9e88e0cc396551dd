/**
 * What the machine must have before kbtop can be built, tested or benchmarked, and how to get it.
 * Looked for as files, never by asking the package manager: that is fast and works on every distribution.
 */
import { accessSync, closeSync, constants, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ARCHES } from './arch.mjs';

const TRIPLET = ARCHES[process.arch] === undefined ? '' : ARCHES[process.arch].triplet;
const LIBRARY_DIRS = [`/usr/lib/${TRIPLET}`, '/usr/lib64', '/usr/lib'];
const INCLUDE_DIRS = ['/usr/include', `/usr/include/${TRIPLET}`];
/** Where administrators' tools live; an ordinary user's PATH often lacks them. */
const ADMIN_DIRS = ['/usr/sbin', '/sbin'];

/** Absolute path of a command on `path` (or in sbin), or null. */
export function findCommand(name, path = process.env.PATH || '') {
  for (const dir of [...path.split(delimiter), ...ADMIN_DIRS]) {
    if (!dir.startsWith('/')) continue;
    const file = join(dir, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // not in this directory
    }
  }
  return null;
}

/** First existing `dir/name`, or null. */
function findIn(dirs, name) {
  for (const dir of dirs) {
    const file = join(dir, name);
    if (existsSync(file)) return file;
  }
  return null;
}

/** Whether a program runs without libraries: a dynamic one names its loader in its first few hundred bytes. */
export function isStatic(path) {
  let fd;
  try {
    fd = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    const head = Buffer.alloc(4096);
    const text = head.subarray(0, readSync(fd, head)).toString('latin1');
    return text.startsWith('\x7fELF') && !/\/ld[-\w.]*\.so/.test(text);
  } finally {
    closeSync(fd);
  }
}

/** Distributions install LLVM's tools under their bare name, with a version, or both. */
const LLVM_VERSIONS = ['', ...Array.from({ length: 9 }, (_, i) => `-${22 - i}`)];
const findAny = (name) => LLVM_VERSIONS.reduce((found, version) => found || findCommand(`${name}${version}`), null);

const command = (name, apt = name) => ({ what: name, apt, find: () => findCommand(name) });
const llvm = (name, apt = name) => ({ what: name, apt, find: () => findAny(name) });
const header = (name, apt) => ({ what: `<${name}>`, apt, find: () => findIn(INCLUDE_DIRS, name) });
const archive = (name, apt) => ({ what: name, apt, find: () => findIn(LIBRARY_DIRS, name) });
const file = (path, apt) => ({ what: path, apt, find: () => (existsSync(path) ? path : null) });
const staticProgram = (path, apt) => ({ what: `a static ${path}`, apt, find: () => (isStatic(path) ? path : null) });

/** Ubuntu ships bpftool with its kernel tools. */
const bpftoolPackage = () => (distribution().id === 'ubuntu' ? 'linux-tools-common linux-tools-generic' : 'bpftool');

/** virtiofsd left QEMU's own packages with Debian 13. */
function virtiofsdPackage(text = readOsRelease()) {
  const { id } = distribution(text);
  const version = Number((/^VERSION_ID="?([\d.]+)/m.exec(text) || [])[1]);
  return (id === 'debian' && version < 13) || (id === 'ubuntu' && version < 23) ? 'qemu-system-common' : 'virtiofsd';
}

export const CLANG = llvm('clang');
export const LLVM_STRIP = llvm('llvm-strip', 'llvm');
export const GXX = command('g++');
export const BPF_HELPERS = header('bpf/bpf_helpers.h', 'libbpf-dev');
export const LINUX_BPF = header('linux/bpf.h', 'linux-libc-dev');
export const LIBBPF = archive('libbpf.a', 'libbpf-dev');
export const LIBELF = archive('libelf.a', 'libelf-dev');
export const LIBZ = archive('libz.a', 'zlib1g-dev');

const BUILD = [CLANG, LLVM_STRIP, GXX, BPF_HELPERS, LINUX_BPF, LIBBPF, LIBELF, LIBZ];
const TEST = [
  command('gcc'),
  command('tmux'),
  command('strace'),
  command('sudo'),
  command('bpftool', bpftoolPackage()),
  command('ip', 'iproute2'),
  // Real pods; the tests start it themselves, so its service is not wanted.
  { ...command('containerd'), service: 'containerd.service' },
  command('runc'),
  // Scrapes the endpoint; promtool comes with it.
  { ...command('prometheus'), service: 'prometheus.service' },
  // The release: another Debian's files to run it in, and an image from the Dockerfile.
  command('debootstrap'),
  command('buildah'),
  staticProgram('/bin/busybox', 'busybox-static'),
  file('/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf', 'fonts-dejavu-core'),
];
/** What single tests want; without it they are skipped, by name. */
const TEST_EXTRAS = [command('kubectl', 'kubernetes-client')];
/** Guests of test/vm. Where no virtiofsd can be had, or for an ordinary user, 9p takes its place. */
const VM = [
  command('qemu-system-x86_64', 'qemu-system-x86'),
  { what: 'virtiofsd', apt: virtiofsdPackage(), find: () => findIn(['/usr/libexec', '/usr/lib/qemu'], 'virtiofsd') },
  command('busybox', 'busybox-static'),
  command('depmod', 'kmod'),
  command('xz', 'xz-utils'),
  command('mkfs.ext4', 'e2fsprogs'),
  command('setpriv', 'util-linux'),
];
/** Only when a kernel has to be built for them. */
export const KERNEL_BUILD = [
  command('make'),
  command('gcc'),
  command('flex'),
  command('bison'),
  command('bc'),
  command('rsync'),
  command('pahole', 'dwarves'),
  header('openssl/opensslv.h', 'libssl-dev'),
  LIBELF,
  LIBZ,
];
const BENCH = [
  command('gcc'),
  command('syscount', 'libbpf-tools'),
  command('runqlat', 'libbpf-tools'),
  command('bpftrace'),
  command('htop'),
  command('bpftool', bpftoolPackage()),
];

/** The needs for a purpose: always the build's, and the tests' or benchmarks' when asked for. */
export function needs({ test = false, bench = false } = {}) {
  return [...BUILD, ...(test ? TEST : []), ...(bench ? BENCH : [])];
}

/** What tests can use beyond that, and go on without. */
export function testExtras() {
  return TEST_EXTRAS;
}

/** What VMs need beyond that; tests go on without them. */
export function vmNeeds() {
  return VM;
}

/**
 * Those of `list` that are not on this machine.
 * @param {{ what: string, apt: string, find: () => string | null }[]} list
 */
export function missing(list) {
  return list.filter((need) => need.find() === null);
}

/** Debian package names for what is missing, each once. */
export function aptPackages(list) {
  return [...new Set(list.flatMap((need) => need.apt.split(' ')))].sort();
}

/** ID and ID_LIKE of /etc/os-release. */
export function distribution(text = readOsRelease()) {
  const field = (key) => (new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text) || ['', ''])[1];
  const id = field('ID');
  return { id, aptBased: [id, ...field('ID_LIKE').split(' ')].some((x) => x === 'debian' || x === 'ubuntu') };
}

function readOsRelease() {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
