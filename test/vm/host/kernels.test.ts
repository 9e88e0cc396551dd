import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lostOptions } from './build.ts';
import { cacheDirectory, cached } from './cache.ts';
import { loadOrder, quoted } from './initramfs.ts';
import { type Kernel, KERNELS, type Search } from './kernels.ts';
import { LinePrefix } from './line-prefix.ts';
import { requireGuests } from './possible.ts';
import { complaints } from './qemu.ts';

let directory: string;
let search: Search;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kbtop-kernels-'));
  search = { cache: join(directory, 'cache'), shared: directory, say: () => {} };
  for (const kernel of KERNELS) vi.stubEnv(kernel.variable, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const kernel = (id: string): Kernel => KERNELS.find((one) => one.id === id) as Kernel;
const image = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return `${createHash('sha256').update(text).digest('hex')}  ${name}\n`;
};

describe('an image with error injection', () => {
  it('is the newest of its version beside the checkout', async () => {
    writeFileSync(join(directory, 'SHA256SUMS'), image('bzImage-6.1.99', 'old') + image('bzImage-6.1.192', 'new') + image('bzImage-6.12.117', 'other'));
    expect(await kernel('injection-6.1').find(search)).toEqual({ vmlinuz: join(directory, 'bzImage-6.1.192'), moduleRoot: null, origin: directory });
    expect((await kernel('injection-6.12').find(search)).vmlinuz).toBe(join(directory, 'bzImage-6.12.117'));
  });

  it('is refused when it is damaged, or has no checksum', async () => {
    const sum = image('bzImage-6.1.192', 'whole');
    await expect(kernel('injection-6.1').find(search)).rejects.toThrow(/bzImage-6\.1\.192 is not in the SHA256SUMS beside it$/);
    writeFileSync(join(directory, 'SHA256SUMS'), sum);
    writeFileSync(join(directory, 'bzImage-6.1.192'), 'whol');
    await expect(kernel('injection-6.1').find(search)).rejects.toThrow(/bzImage-6\.1\.192 is damaged/);
  });

  it('given by name goes before, and must be there', async () => {
    writeFileSync(join(directory, 'SHA256SUMS'), image('bzImage-6.1.192', 'shared'));
    image('own', 'own');
    vi.stubEnv('KBTOP_VM_KERNEL_INJECTION_6_1', join(directory, 'own'));
    expect((await kernel('injection-6.1').find(search)).vmlinuz).toBe(join(directory, 'own'));
    vi.stubEnv('KBTOP_VM_KERNEL_INJECTION_6_1', '/nonexistent');
    await expect(kernel('injection-6.1').find(search)).rejects.toThrow('KBTOP_VM_KERNEL_INJECTION_6_1 names /nonexistent, which is not there');
  });

  it('of the second version is not built unasked', () => {
    expect(kernel('injection-6.1').byDefault(search)).toBe(true);
    expect(kernel('injection-6.12').byDefault(search)).toBe(false);
    image('bzImage-6.12.1', 'x');
    expect(kernel('injection-6.12').byDefault(search)).toBe(true);
  });
});

describe('a stock kernel that is given', () => {
  it('is an unpacked package', async () => {
    vi.stubEnv('KBTOP_VM_KERNEL_STOCK_6_1', directory);
    await expect(kernel('stock-6.1').find(search)).rejects.toThrow(/holds no boot\/vmlinuz-\*/);
    mkdirSync(join(directory, 'boot'));
    writeFileSync(join(directory, 'boot', 'vmlinuz-6.1.0-1-cloud-amd64'), '');
    expect(await kernel('stock-6.1').find(search)).toMatchObject({ vmlinuz: join(directory, 'boot', 'vmlinuz-6.1.0-1-cloud-amd64'), moduleRoot: directory });
  });
});

describe('options that a kernel drops', () => {
  const fragment = '# A comment.\nCONFIG_A=y\nCONFIG_B="x y"\nCONFIG_N=-1\n# CONFIG_OFF is not set\n';
  it('are named', () => {
    expect(lostOptions(fragment, 'CONFIG_A=y\nCONFIG_B="x y"\nCONFIG_N=-1\n# CONFIG_OFF is not set\n')).toEqual([]);
    expect(lostOptions(fragment, '# CONFIG_A is not set\nCONFIG_B="x"\nCONFIG_N=-1\nCONFIG_OFF=y\n')).toEqual(['CONFIG_A=y', 'CONFIG_B="x y"', '# CONFIG_OFF is not set']);
  });
  it('may be off without being named: their dependencies are', () => expect(lostOptions('# CONFIG_OFF is not set\n', 'CONFIG_A=y\n')).toEqual([]));
});

describe('modules', () => {
  const dependencies = 'kernel/fs/fuse/virtiofs.ko.xz: kernel/fs/fuse/fuse.ko.xz kernel/drivers/virtio/virtio.ko.xz\nkernel/fs/fuse/fuse.ko.xz:\nkernel/drivers/virtio/virtio.ko.xz:\nkernel/net/9p/9pnet-virtio.ko: kernel/net/9p/9pnet.ko\nkernel/net/9p/9pnet.ko:\n';
  it('come after what they need, each once', () => {
    expect(loadOrder(['virtiofs', '9pnet_virtio', 'fuse'], dependencies, '', '6.1')).toEqual([
      'kernel/drivers/virtio/virtio.ko.xz', 'kernel/fs/fuse/fuse.ko.xz', 'kernel/fs/fuse/virtiofs.ko.xz', 'kernel/net/9p/9pnet.ko', 'kernel/net/9p/9pnet-virtio.ko',
    ]);
  });
  it('that are built in need no file, and those that are nowhere are named', () => {
    expect(loadOrder(['overlay'], dependencies, 'kernel/fs/overlayfs/overlay.ko\n', '6.1')).toEqual([]);
    expect(() => loadOrder(['9p'], dependencies, '', '6.1.0-cloud')).toThrow('kernel 6.1.0-cloud has no 9p: run this as root, for virtiofs');
  });
});

describe('the cache', () => {
  it('follows XDG, but for a relative directory', () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: '/x' })).toBe('/x/kbtop/vm');
    expect(cacheDirectory({ XDG_CACHE_HOME: 'x' })).toBe(cacheDirectory({}));
  });

  it('fills a directory once, and never shows a half', async () => {
    const place = join(directory, 'deep', 'place');
    await expect(cached(place, async (staging) => {
      writeFileSync(join(staging, 'half'), '');
      throw new Error('no network');
    })).rejects.toThrow('no network');
    expect(existsSync(place)).toBe(false);
    const fill = vi.fn(async (staging: string) => writeFileSync(join(staging, 'file'), ''));
    expect(await cached(place, fill)).toBe(place);
    expect(await cached(place, fill)).toBe(place);
    expect(fill).toHaveBeenCalledTimes(1);
    expect(readdirSync(join(directory, 'deep'))).toEqual(['place', 'place.lock']);
  });

  it('is filled by one of two that want the same, and the other waits', async () => {
    const place = join(directory, 'place');
    const fill = vi.fn(async (staging: string) => {
      await sleep(50);
      writeFileSync(join(staging, 'file'), '');
    });
    expect(await Promise.all([cached(place, fill), cached(place, fill)])).toEqual([place, place]);
    expect(fill).toHaveBeenCalledTimes(1);
  });

  it('forgets what somebody left who was ended meanwhile', async () => {
    const place = join(directory, 'place');
    mkdirSync(`${place}.part`);
    writeFileSync(join(`${place}.part`, 'half'), '');
    await cached(place, async (staging) => writeFileSync(join(staging, 'file'), ''));
    expect(readdirSync(place)).toEqual(['file']);
  });
});

describe('what a guest says', () => {
  it('is marked line by line, however it is cut', () => {
    const printed: string[] = [];
    const prefix = new LinePrefix('6.1 | ', { write: (text) => printed.push(text) });
    for (const byte of Buffer.from('ü\r\ntwo\n\nthree')) prefix.write(Uint8Array.of(byte));
    prefix.end();
    expect(printed.join('')).toBe('6.1 | ü\n6.1 | two\n6.1 | \n6.1 | three\n');
  });

  it('about itself is noticed when it is bad, each once', () => {
    const serial = '[    1.0] Linux version 6.1\r\n[   2.5] BUG: kernel NULL pointer dereference\r\n[  3.5] BUG: kernel NULL pointer dereference\r\n[ 99.0] rcu: INFO: rcu_sched self-detected stall\r\n[ 1.1] DEBUG: fine\r\n';
    expect(complaints(serial)).toEqual(['BUG: kernel NULL pointer dereference', 'rcu: INFO: rcu_sched self-detected stall']);
  });
});

describe('guests', () => {
  it('are not begun where they cannot run, whose reason is one line', () => {
    expect(() => requireGuests('arm64')).toThrow('guests are x86-64 machines, this one is arm64');
    vi.stubEnv('PATH', '/nonexistent');
    expect(() => requireGuests('x64')).toThrow(/^missing: qemu-system-x86_64, .*\(qemu-system-x86, .*\); install them, or run npm run test:vm as root$/);
  });
});

describe('words for a shell', () => {
  it('stay one word', () => expect(quoted("it's $HOME `x`")).toBe("'it'\\''s $HOME `x`'"));
});
