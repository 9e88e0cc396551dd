/** A kbtop that any user can run, also when the checkout lies behind a directory closed to others (/root). */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const OTHERS_MAY_ENTER = 0o001;

function closedToOthers(path: string): boolean {
  if ((statSync(path).mode & OTHERS_MAY_ENTER) === 0) return true;
  return dirname(path) !== path && closedToOthers(dirname(path));
}

/** Path of bin/kbtop: the checkout's own, or that of a copy that goes when this process ends. @param root the checkout */
export function kbtopForAll(root: string): string {
  if (!closedToOthers(root)) return join(root, 'bin/kbtop');
  const copy = mkdtempSync(join(tmpdir(), 'kbtop-open-'));
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  const node = `node_modules/node-linux-${process.arch}/bin/node`;
  mkdirSync(dirname(join(copy, node)), { recursive: true });
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(root, part), join(copy, part), { recursive: true });
  cpSync(process.execPath, join(copy, node));
  chmodSync(copy, 0o755);
  return join(copy, 'bin/kbtop');
}
