import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { child, noBpf } from './support.ts';

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const canUnshare = !noBpf && works('unshare', '-m', 'true');

describe.skipIf(noBpf)('privileges (needs root and BTF)', () => {
  it('missing, are named in one line', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kbtop-'));
    try {
      chmodSync(directory, 0o755);
      const secret = join(directory, 'secret.bpf.o');
      writeFileSync(secret, 'x', { mode: 0o600 });
      const told = (await child('unprivileged.ts', [secret]).next()) as Record<string, { code: string; errno: number; message: string }>;
      for (const name of ['load', 'loadMixed', 'ids', 'stats']) {
        expect(told[name], name).toMatchObject({ code: 'EPERM', errno: 1 });
        expect(told[name]?.message, name).not.toMatch(/\n|ulimit/);
      }
      expect(told['load']?.message).toMatch(/^cannot load counter: .*not permitted \(EPERM\): .* needs root, or CAP_BPF and CAP_PERFMON$/);
      expect(told['loadMixed']?.message).toMatch(/^cannot load mixed: .*needs root, or CAP_BPF and CAP_PERFMON$/);
      expect(told['unreadable']).toEqual({ code: 'EACCES', errno: 13, message: `cannot open BPF object ${secret}: permission denied (EACCES)` });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('a memlock limit that cannot be raised does not matter', async () => {
    const prefix = ['prlimit', '--memlock=65536:65536', 'setpriv', '--bounding-set=-sys_resource', '--inh-caps=-sys_resource'];
    const loader = child('load.ts', ['counter'], { prefix });
    expect(await loader.next()).toEqual({ ok: true });
  });

  it.skipIf(!canUnshare)('classic tracepoints work where tracefs is not mounted', async () => {
    const prefix = ['unshare', '-m', 'sh', '-c', 'umount -a -t tracefs,debugfs; ls /sys/kernel/tracing/events >/dev/null 2>&1 && exit 9; exec "$@"', 'sh'];
    const loader = child('load.ts', ['many'], { prefix });
    expect(await loader.next()).toEqual({ ok: true });
  });

  it.skipIf(!canUnshare)('a kernel without BTF is named as the reason', async () => {
    const prefix = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', 'sh'];
    const loader = child('load.ts', ['counter'], { prefix });
    expect(await loader.next()).toEqual({
      ok: false,
      code: 'ESRCH',
      message: 'cannot load counter: this kernel has no BTF type information (/sys/kernel/btf/vmlinux); it needs CONFIG_DEBUG_INFO_BTF=y',
    });
  });
});
