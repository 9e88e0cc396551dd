/**
 * Who may look at a session and who may control it. Decided by what the kernel noted of the other end when it connected
 * (SO_PEERCRED, SO_PEERGROUPS), never by what it says, and not by /proc/PID: by the time that is read, the pid may be
 * somebody else's.
 */
import { readFileSync } from 'node:fs';
import type { SocketPeer } from '../../bpf/addon.ts';
import type { Accounts } from './accounts.ts';

/** Who may control besides the server's own user. */
export interface Controllers {
  readonly uids: ReadonlySet<number>;
  readonly gids: ReadonlySet<number>;
}

export const NO_CONTROLLERS: Controllers = { uids: new Set(), gids: new Set() };

export interface AccessOptions {
  /** Of the server. */
  readonly uid: number;
  /** Of the socket. */
  readonly mode: number;
  readonly gid: number;
  /** Null: nobody may control, the server's own user neither. */
  readonly control: Controllers | null;
  /** What ids look like that this user namespace does not have. */
  readonly overflow?: { readonly uid: number; readonly gid: number };
}

const GROUP_CONNECTS = 0o020;
const OTHERS_CONNECT = 0o002;

function overflowId(kind: 'uid' | 'gid'): number {
  try {
    return Number(readFileSync(`/proc/sys/kernel/overflow${kind}`, 'utf8'));
  } catch {
    return 65_534;
  }
}

export const overflowIds = (): { readonly uid: number; readonly gid: number } => ({ uid: overflowId('uid'), gid: overflowId('gid') });

export class Access {
  readonly #about: AccessOptions;
  readonly #overflow: { readonly uid: number; readonly gid: number };

  constructor(options: AccessOptions) {
    this.#about = options;
    this.#overflow = options.overflow ?? overflowIds();
  }

  #isOwner({ uid }: SocketPeer): boolean {
    return uid === 0 || uid === this.#about.uid;
  }

  #isIn({ gid, groups }: SocketPeer, wanted: number): boolean {
    return wanted !== this.#overflow.gid && (gid === wanted || groups.includes(wanted));
  }

  /** As the socket's mode says, though its owner in the file system may have been passed by. */
  mayLook(peer: SocketPeer): boolean {
    const { mode, gid } = this.#about;
    return this.#isOwner(peer) || (mode & OTHERS_CONNECT) !== 0 || ((mode & GROUP_CONNECTS) !== 0 && this.#isIn(peer, gid));
  }

  mayControl(peer: SocketPeer): boolean {
    const { control } = this.#about;
    if (control === null || !this.mayLook(peer)) return false;
    if (this.#isOwner(peer)) return true;
    // Anybody whose id cannot be told looks like this one.
    if (peer.uid === this.#overflow.uid) return false;
    return control.uids.has(peer.uid) || [...control.gids].some((gid) => this.#isIn(peer, gid));
  }
}

/**
 * "1000,alice,@ops": users and groups, by name or number.
 * @throws RangeError with what is wrong
 */
export function parseControllers(text: string, accounts: Accounts, overflow = overflowIds()): Controllers {
  const uids = new Set<number>(), gids = new Set<number>();
  for (const item of text.split(',').map((part) => part.trim())) {
    const isGroup = item.startsWith('@'), name = isGroup ? item.slice(1) : item;
    const id = name === '' ? null : isGroup ? accounts.groupId(name) : accounts.userId(name);
    if (id === null) throw new RangeError(`"${item}" is no ${isGroup ? 'group' : 'user'} of this machine: users by name or number, groups with an @ before, with commas between them`);
    if (id === (isGroup ? overflow.gid : overflow.uid)) throw new RangeError(`"${item}" is what everybody looks like who has no id here: name a user or group of its own`);
    (isGroup ? gids : uids).add(id);
  }
  return { uids, gids };
}
