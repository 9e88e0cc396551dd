/** An ext4 disk for tests of file systems: the guest's own files lie in memory. */
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { findCommand } from '../../../tools/lib/needs.mjs';
import { NotToBeHad } from './debian.ts';
import { runCommand } from './run-command.ts';

const BYTES = 256 << 20;

/** Makes a sparse file with an empty file system at `path`. @returns the path. @throws NotToBeHad */
export async function makeDisk(path: string): Promise<string> {
  const mkfs = findCommand('mkfs.ext4');
  if (mkfs === null) throw new NotToBeHad('missing: mkfs.ext4 (package e2fsprogs)');
  const fd = openSync(path, 'wx', 0o600);
  ftruncateSync(fd, BYTES);
  closeSync(fd);
  const { code, lastLine } = await runCommand(mkfs, ['-q', '-F', path]);
  if (code !== 0) throw new NotToBeHad(`cannot make a disk: ${lastLine}`);
  return path;
}
