/** Whose files are that a program makes which was started with sudo. */

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Who called sudo; null when nobody did. */
export function ownerOf(env: NodeJS.ProcessEnv = process.env): Owner | null {
  const uid = Number(env['SUDO_UID']), gid = Number(env['SUDO_GID']);
  return process.getuid?.() === 0 && env['SUDO_UID'] && Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : null;
}
