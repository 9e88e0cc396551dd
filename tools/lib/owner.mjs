/** `sudo npm start` in somebody's checkout must not leave files there that its owner cannot replace. */
import { lchownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

function chownTree(path, uid, gid) {
  const stat = lstatSync(path);
  if (stat.uid !== uid) lchownSync(path, uid, gid);
  if (!stat.isDirectory()) return;
  for (const name of readdirSync(path)) chownTree(join(path, name), uid, gid);
}

/** As root, give what set-up made to the checkout's owner; file systems that refuse are left as they are. */
export function giveBack(root, owner) {
  if (process.getuid() !== 0 || owner.uid === 0) return;
  for (const made of ['dist', 'node_modules']) {
    try {
      chownTree(join(root, made), owner.uid, owner.gid);
    } catch {
      // e.g. a network file system with root squashed
    }
  }
}
