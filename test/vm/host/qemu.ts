/**
 * One guest from power on to power off: the host's files below a layer for writing, one command, its output, its exit code.
 *
 * Always emulated, on one thread: /dev/kvm may be there and not work, and with a thread per CPU a guest that attaches programs
 * under load now and then runs code that was patched meanwhile.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findCommand } from '../../../tools/lib/needs.mjs';
import { NotToBeHad } from './debian.ts';
import { initramfs, type Share } from './initramfs.ts';
import type { KernelImage } from './kernels.ts';
import { startCommand } from './run-command.ts';
import { withScratch } from './scratch.ts';

export interface Guest {
  readonly image: KernelImage;
  /** Shell command, run in `directory` of the host. */
  readonly command: string;
  readonly directory: string;
  /** An ext4 disk for tests of file systems, as a file of the host; mounted in the guest at DISK. */
  readonly disk?: string;
  readonly limitMs: number;
  readonly memoryMb?: number;
  readonly onOutput: (text: Buffer) => void;
}

export interface Outcome {
  /** ended: the command came to its end; timeout: the limit was reached; died: the guest went down before. */
  readonly how: 'ended' | 'timeout' | 'died';
  /** Exit code of the command; null unless it ended. */
  readonly code: number | null;
  /** From power on to the command, in the guest's own time; null when it did not come to that. */
  readonly bootSeconds: number | null;
  readonly seconds: number;
  /** Lines of the console that tell of a kernel gone wrong: oops, BUG, warning, stall. */
  readonly complaints: readonly string[];
  /** The console's end, for when it died. */
  readonly consoleTail: string;
}

/** Places in the guest. */
export const OUT = '/run/kbtop/out';
export const DISK = '/run/kbtop/disk';

const VIRTIOFSD = ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd'];
const CPUS = 2;
const SOCKET_MS = 10_000;

/** What a child says before its end, when it goes wrong. */
function complaintsOf(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (part: string) => (text = (text + part).slice(-4000)));
  return () => text.trim().split('\n').at(-1) ?? '';
}

const ended = (child: ChildProcess): Promise<void> => new Promise((resolve) => {
  child.once('close', () => resolve());
  child.once('error', () => resolve());
});

/**
 * @param out directory of the host that the guest sees as OUT and may write to
 * @throws NotToBeHad when this machine cannot start a guest
 */
export function boot(guest: Guest, out: string): Promise<Outcome> {
  return withScratch('kbtop-vm-', (scratch) => bootIn(scratch, guest, out));
}

async function bootIn(scratch: string, guest: Guest, out: string): Promise<Outcome> {
  const qemu = findCommand('qemu-system-x86_64');
  if (qemu === null) throw new NotToBeHad('missing: qemu-system-x86_64 (package qemu-system-x86)');
  const virtiofsd = VIRTIOFSD.find((path) => existsSync(path));
  // Only root may open files in other users' names, which virtiofsd has to.
  const share: Share = process.getuid?.() === 0 && virtiofsd !== undefined ? 'virtiofs' : '9p';
  const helpers: ChildProcess[] = [];
  const server = createServer((socket) => socket.on('data', guest.onOutput).on('error', () => {}));
  try {
    const memory = guest.memoryMb ?? 2048;
    mkdirSync(out, { recursive: true });
    for (const file of ['status', 'started']) rmSync(join(out, file), { force: true });
    const job = {
      kbtop_share: share, kbtop_directory: guest.directory, kbtop_command: guest.command, kbtop_modules: guest.image.moduleRoot ?? '',
      kbtop_start: join(import.meta.dirname, '..', 'guest', 'start'), kbtop_out: OUT, kbtop_disk: guest.disk === undefined ? '' : DISK,
    };
    writeFileSync(join(scratch, 'initrd'), await initramfs(share, guest.image.moduleRoot, job));
    const serial = join(scratch, 'console');
    const output = join(scratch, 'output');
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(output, resolve));
    const args = [
      '-accel', 'tcg,thread=single', '-cpu', 'max', '-smp', `${CPUS}`, '-m', `${memory}`,
      '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
      '-kernel', guest.image.vmlinuz, '-initrd', join(scratch, 'initrd'),
      '-append', 'console=ttyS0 loglevel=5 panic=-1 nokaslr mitigations=off tsc=reliable',
      '-serial', `file:${serial}`,
      '-device', 'virtio-serial-pci', '-chardev', `socket,id=output,path=${output}`, '-device', 'virtserialport,chardev=output,name=output',
      '-device', 'virtio-rng-pci',
    ];
    if (guest.disk !== undefined) args.push('-drive', `file=${guest.disk},format=raw,if=none,id=disk,cache=unsafe`, '-device', 'virtio-blk-pci,drive=disk');
    for (const [tag, source] of [['host', '/'], ['out', out]] as const) {
      if (share === '9p') {
        args.push('-virtfs', `local,path=${source},mount_tag=${tag},security_model=none,multidevs=remap${tag === 'host' ? ',readonly=on' : ''}`);
        continue;
      }
      const socket = join(scratch, tag);
      helpers.push(await serveFiles(virtiofsd ?? '', source, socket));
      args.push('-chardev', `socket,id=${tag},path=${socket}`, '-device', `vhost-user-fs-pci,chardev=${tag},tag=${tag}`);
    }
    // virtiofsd reads and writes the guest's memory.
    if (share === 'virtiofs') args.push('-object', `memory-backend-memfd,id=memory,size=${memory}M,share=on`, '-numa', 'node,memdev=memory');

    const begin = performance.now();
    const machine = startCommand(qemu, args, { signal: 'SIGKILL' });
    const said = complaintsOf(machine);
    const end = ended(machine);
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      machine.kill('SIGKILL');
    }, guest.limitMs);
    await end;
    clearTimeout(limit);
    const seconds = (performance.now() - begin) / 1000;
    // What the guest wrote last may still be on its way through the socket.
    await closed(server);

    const log = existsSync(serial) ? readFileSync(serial, 'latin1') : '';
    const status = existsSync(join(out, 'status')) ? Number(readFileSync(join(out, 'status'), 'utf8')) : null;
    const started = existsSync(join(out, 'started')) ? Number(readFileSync(join(out, 'started'), 'utf8')) : null;
    return {
      how: status !== null ? 'ended' : timedOut ? 'timeout' : 'died',
      code: status, bootSeconds: started, seconds, complaints: complaints(log),
      consoleTail: log.trim() === '' ? said() : log.trim().split('\n').slice(-30).join('\n'),
    };
  } finally {
    server.close();
    for (const helper of helpers) helper.kill('SIGKILL');
  }
}

/** Resolves when its last connection has been read to the end. */
function closed(server: ReturnType<typeof createServer>): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function serveFiles(virtiofsd: string, source: string, socket: string): Promise<ChildProcess> {
  const args = virtiofsd.startsWith('/usr/libexec/')
    ? ['--shared-dir', source, '--sandbox', 'chroot', '--cache', 'always', '--xattr']
    : ['-o', `source=${source}`, '-o', 'sandbox=chroot', '-o', 'cache=always', '-o', 'xattr', '-f'];
  const helper = startCommand(virtiofsd, [`--socket-path=${socket}`, ...args]);
  const said = complaintsOf(helper);
  for (const deadline = performance.now() + SOCKET_MS; !existsSync(socket);) {
    if (helper.exitCode !== null || helper.signalCode !== null || performance.now() > deadline) {
      helper.kill('SIGKILL');
      throw new NotToBeHad(`virtiofsd does not start: ${said()}`);
    }
    await sleep(20);
  }
  return helper;
}

/** Lines of a console that no healthy kernel prints, without their time; each once. */
export function complaints(serial: string): string[] {
  const bad = /\b(Oops|BUG|WARNING: CPU|Kernel panic|general protection|INFO: task .* blocked|rcu: INFO|soft lockup|hard LOCKUP)\b/;
  return [...new Set(serial.split(/\r?\n/).filter((line) => bad.test(line)).map((line) => line.replace(/^\[ *[\d.]+\] /, '').trim()))];
}
