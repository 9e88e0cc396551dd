/** `w`: the Frame on screen as a file. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame } from '../frame/frame.ts';

/** "kbtop-worker-1-20261121T020005Z.json": only characters that are safe in any shell. */
export function fileName(frame: Frame): string {
  const node = frame.node.name.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^[.-]+/, '').slice(0, 64) || 'node';
  return `kbtop-${node}-${frame.time.replace(/\.\d+/, '').replace(/[^0-9TZ]/g, '')}.json`;
}

/** Who called sudo: the file should be theirs. */
function caller(env: NodeJS.ProcessEnv): { readonly uid: number; readonly gid: number } | null {
  const uid = Number(env['SUDO_UID']), gid = Number(env['SUDO_GID']);
  return process.getuid?.() === 0 && env['SUDO_UID'] && Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : null;
}

/**
 * Write the Frame as one JSON object, readable for its owner only: paths and command names are nobody else's business.
 * Never overwrites: a number is added to the name. @returns the file's name
 * @throws the system's error with its code
 */
export async function saveFrame(frame: Frame, directory: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const base = fileName(frame);
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : base.replace(/\.json$/, `-${n}.json`);
    try {
      await using file = await open(join(directory, name), 'wx', 0o600);
      await file.writeFile(`${JSON.stringify(frame)}\n`);
      const owner = caller(env);
      if (owner) await file.chown(owner.uid, owner.gid).catch(() => {});
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || n >= 100) throw error;
    }
  }
}
