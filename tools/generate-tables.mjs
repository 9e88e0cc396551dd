#!/usr/bin/env node
/**
 * Writes the tables of system call and errno names from the kernel's user-space headers:
 *
 *   node tools/generate-tables.mjs [--arm INCLUDE_DIR]
 *
 * x86_64, i386 and x32 come from linux-libc-dev on an x86 machine, arm64 from its asm-generic, 32-bit arm from the
 * unpacked linux-libc-dev-armhf-cross (usr/arm-linux-gnueabihf/include); without --arm its old table is kept.
 * What is newer than the headers stands below.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const namesFile = join(root, 'src/frame/syscall-names/tables.ts');
const errnoFile = join(root, 'src/frame/errno-table.ts');
const arm = process.argv[2] === '--arm' ? process.argv[3] : undefined;

/** Since v5.1 a new call has one number everywhere; these came with v6.5 to v6.19. */
const NEW_EVERYWHERE = [
  [451, 'cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat listxattrat removexattrat open_tree_attr file_getattr file_setattr listns'],
];
const NEW_X86_64 = [[335, 'uretprobe uprobe']];
/** Kernel-internal errors that reach a system call's exit, and sometimes user space (include/linux/errno.h). */
const INTERNAL_ERRORS = {
  512: 'ERESTARTSYS', 513: 'ERESTARTNOINTR', 514: 'ERESTARTNOHAND', 515: 'ENOIOCTLCMD', 516: 'ERESTART_RESTARTBLOCK', 517: 'EPROBE_DEFER',
  518: 'EOPENSTALE', 519: 'ENOPARAM', 521: 'EBADHANDLE', 522: 'ENOTSYNC', 523: 'EBADCOOKIE', 524: 'ENOTSUPP', 525: 'ETOOSMALL',
  526: 'ESERVERFAULT', 527: 'EBADTYPE', 528: 'EJUKEBOX', 529: 'EIOCBQUEUED', 530: 'ERECALLCONFLICT',
};

/** Every macro of a header as a number, following macros that name others. */
function macros(source, flags = []) {
  const text = execFileSync('cc', ['-E', '-dM', '-nostdinc', ...flags, '-'], { input: source, encoding: 'utf8' });
  const values = new Map([...text.matchAll(/^#define (\w+)[ \t]+(.+)$/gm)].map((match) => [match[1], match[2].trim()]));
  const resolve = (value, depth = 0) => {
    if (value === undefined || depth > 8) return null;
    const plain = /^\(?(?:__X32_SYSCALL_BIT|__NR_SYSCALL_BASE)?\s*\+?\s*(\d+)\)?$/.exec(value);
    return plain ? Number(plain[1]) : resolve(values.get(value), depth + 1);
  };
  return [...values].map(([name, value]) => [name, resolve(value)]).filter(([, value]) => value !== null);
}

function calls(source, flags, extra = []) {
  const byNumber = [];
  const skipped = /^(syscalls|arch_specific_syscall|SYSCALL_BASE|SYSCALL_MASK|OABI_SYSCALL_BASE|sync_file_range2)$/;
  for (const [name, nr] of macros(source, flags)) {
    const call = /^__NR_(\w+)$/.exec(name)?.[1];
    if (call === undefined || nr > 1022 || (skipped.test(call) && byNumber[nr] !== undefined) || /^(syscalls|arch_specific|SYSCALL|OABI)/.test(call)) continue;
    byNumber[nr] ??= call;
  }
  for (const [first, names] of [...NEW_EVERYWHERE, ...extra]) names.split(' ').forEach((name, i) => { byNumber[first + i] ??= name; });
  return compact(byNumber);
}

/** Names in order; `@N` jumps to number N. */
function compact(byNumber) {
  const words = [];
  let next = 0;
  byNumber.forEach((name, nr) => {
    if (nr !== next) words.push(`@${nr}`);
    words.push(name);
    next = nr + 1;
  });
  return words.join(' ');
}

const x86 = ['-isystem', '/usr/include/x86_64-linux-gnu', '-isystem', '/usr/include'];
const generic = '#define __ARCH_WANT_RENAMEAT\n#define __ARCH_WANT_NEW_STAT\n#define __ARCH_WANT_SET_GET_RLIMIT\n#define __ARCH_WANT_TIME32_SYSCALLS\n#define __ARCH_WANT_SYS_CLONE3\n#define __ARCH_WANT_MEMFD_SECRET\n#include <asm-generic/unistd.h>\n';
const oldArm = () => /export const ARM =\n {2}'([^']*)'/.exec(readFileSync(namesFile, 'utf8'))?.[1] ?? '';
const tables = {
  X86_64: ['x86_64', calls('#include <asm/unistd_64.h>', x86, NEW_X86_64)],
  I386: ['i386', calls('#include <asm/unistd_32.h>', x86)],
  X32: ['x32, numbers without __X32_SYSCALL_BIT', calls('#include <asm/unistd_x32.h>', x86)],
  ARM64: ['arm64', calls(generic, x86)],
  ARM: ['32-bit arm (EABI)', arm === undefined ? oldArm() : calls('#define __ARM_EABI__\n#include <asm/unistd.h>', ['-isystem', arm])],
};
writeFileSync(namesFile, `/** Made by tools/generate-tables.mjs: system call names by number; \`@N\` jumps to number N. */
${Object.entries(tables).map(([name, [title, words]]) => `
/** ${title} */
export const ${name} =
  '${words}';
`).join('')}`);

const errors = [];
for (const [name, value] of macros('#include <asm/errno.h>', x86)) {
  if (/^E[A-Z0-9]+$/.test(name) && name !== 'EWOULDBLOCK' && name !== 'EDEADLOCK') errors[value] = name;
}
for (const [value, name] of Object.entries(INTERNAL_ERRORS)) errors[Number(value)] = name;
writeFileSync(errnoFile, `/** Made by tools/generate-tables.mjs: errno names by number; \`@N\` jumps to number N. */
export const ERRNO =
  '${compact(errors)}';
`);
