import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kernelDevice, parseMountinfo, systemDevices } from '../../../src/chaos/engine/system-devices.ts';

let root = '';
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'kbtop-devices-')); });
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const devices = async (mountinfo: string): Promise<string[]> => {
  write('1/mountinfo', mountinfo);
  return (await systemDevices({ proc: root, sys: root })).map((device) => `${device >>> 20}:${device & 0xfffff}`).sort();
};
const below = (device: string, name: string, number: string): void => write(`dev/block/${device}/slaves/${name}/dev`, `${number}\n`);

describe('mountinfo', () => {
  it('is read with any number of optional fields, and names with spaces', () => {
    expect(parseMountinfo('22 1 254:1 / / rw,relatime shared:1 master:2 - ext4 /dev/vda1 rw\n23 22 0:5 / /a\\040b rw - tmpfs a\\134b rw\nnonsense\n')).toEqual([
      { major: 254, minor: 1, point: '/', type: 'ext4', source: '/dev/vda1' }, { major: 0, minor: 5, point: '/a b', type: 'tmpfs', source: 'a\\b' },
    ]);
  });
});

describe('devices that the node lives on', () => {
  it('are those of its own mounts, each once, and of no other', async () => {
    expect(await devices(`22 1 254:1 / / rw - ext4 /dev/vda1 rw
23 22 254:2 / /boot rw - ext4 /dev/vda2 rw
24 22 254:1 /var /var rw - ext4 /dev/vda1 rw
25 22 254:16 / /var/lib/data rw - ext4 /dev/vdb rw
26 22 0:5 / /usr ro - virtiofs host ro
`)).toEqual(['254:1', '254:2']);
  });

  it('are those below them, too', async () => {
    below('253:0', 'dm-1', '253:1');
    below('253:1', 'sda3', '8:3');
    below('253:1', 'sdb', '8:16');
    below('8:16', 'dm-1', '253:1');
    expect(await devices('22 1 253:0 / / rw - xfs /dev/mapper/root rw\n')).toEqual(['253:0', '253:1', '8:16', '8:3']);
  });

  it('are none where the node lives on no disk', async () => {
    expect(await devices('22 1 0:30 / / rw - overlay root rw\n')).toEqual([]);
  });

  it('cannot be told of some, and then nothing is failed', async () => {
    await expect(devices('22 1 0:30 / / rw - btrfs /dev/vda1 rw\n')).rejects.toThrow('/ lies on btrfs, whose devices cannot be told: block I/O is not failed on this node');
    await expect(devices('22 1 0:30 / /var rw - f2fs /dev/none rw\n')).rejects.toThrow('cannot tell the device of /var (/dev/none: ENOENT): block I/O is not failed on this node');
    rmSync(join(root, '1/mountinfo'));
    await expect(systemDevices({ proc: root, sys: root })).rejects.toThrow(/^cannot tell the node's own devices \(.*mountinfo: ENOENT\): block I\/O is not failed$/);
    await expect(devices(Array.from({ length: 40 }, (_, i) => `${i} 1 8:${i} / / rw - ext4 /dev/sd rw`).join('\n'))).rejects.toThrow('the node lives on 40 devices, more than the 32');
  });

  it('have the numbers that the kernel gives them', () => {
    expect(kernelDevice(8, 3)).toBe(0x800003);
    expect(kernelDevice(4095, 0xfffff)).toBe(0xffffffff);
  });
});
