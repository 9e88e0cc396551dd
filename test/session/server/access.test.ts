import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SocketPeer } from '../../../src/bpf/addon.ts';
import { Access, type AccessOptions, NO_CONTROLLERS, parseControllers } from '../../../src/session/server/access.ts';
import { Accounts } from '../../../src/session/server/accounts.ts';

const OVERFLOW = { uid: 65_534, gid: 65_534 };
const peer = (uid: number, gid = uid, groups: readonly number[] = []): SocketPeer => ({ pid: 9, uid, gid, groups });
const access = (more: Partial<AccessOptions> = {}): Access => new Access({ uid: 500, gid: 600, mode: 0o600, control: null, overflow: OVERFLOW, ...more });

let etc: string;
beforeEach(() => {
  etc = mkdtempSync(join(tmpdir(), 'kbtop-etc-'));
  writeFileSync(join(etc, 'passwd'), 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/:\nnobody:x:65534:65534::/:\nbroken\n::\n');
  writeFileSync(join(etc, 'group'), 'root:x:0:\nops:x:4000:alice\n');
});
afterEach(() => rmSync(etc, { recursive: true }));

describe('who may look', () => {
  it.each([
    [0o600, peer(0), true], [0o600, peer(500), true], [0o600, peer(501, 600), false], [0o600, peer(501, 501, [600]), false],
    [0o660, peer(501, 600), true], [0o660, peer(501, 501, [1, 600]), true], [0o660, peer(501), false],
    [0o666, peer(501), true], [0o666, peer(65_534), true],
  ])('mode %o: %j: %s', (mode, who, may) => {
    expect(access({ mode }).mayLook(who)).toBe(may);
  });

  it('is not told by a group that nobody can tell', () => {
    expect(access({ mode: 0o660, gid: 65_534 }).mayLook(peer(501, 65_534))).toBe(false);
  });
});

describe('who may control', () => {
  const all = { mode: 0o666 };
  it('is nobody without --allow-control, and then the server\'s own user and root alone', () => {
    expect([peer(0), peer(500), peer(501)].map((who) => access(all).mayControl(who))).toEqual([false, false, false]);
    expect([peer(0), peer(500), peer(501), peer(501, 600)].map((who) => access({ ...all, control: NO_CONTROLLERS }).mayControl(who))).toEqual([true, true, false, false]);
  });

  it('is whoever was named, by user or group, and may look', () => {
    const control = parseControllers('alice,7,@ops', new Accounts(etc), OVERFLOW);
    const may = (who: SocketPeer, mode = 0o666): boolean => access({ mode, control }).mayControl(who);
    expect([peer(1000), peer(7), peer(8, 4000), peer(8, 8, [4000]), peer(8)].map((who) => may(who))).toEqual([true, true, true, true, false]);
    expect(may(peer(1000), 0o600)).toBe(false);
  });

  it('is nobody whose user cannot be told', () => {
    expect(access({ ...all, control: { uids: new Set([65_534]), gids: new Set() } }).mayControl(peer(65_534))).toBe(false);
  });

  it.each([
    ['bob', '"bob" is no user'], ['@alice', '"@alice" is no group'], ['', '"" is no user'], ['alice,,7', '"" is no user'], ['@', '"@" is no group'], ['-1', '"-1" is no user'], ['4294967295', 'is no user'],
    ['nobody', '"nobody" is what everybody looks like who has no id here'], ['@65534', 'is what everybody looks like'],
  ])('"%s" is refused', (text, message) => {
    expect(() => parseControllers(text, new Accounts(etc), OVERFLOW)).toThrow(message);
  });
});

describe('names', () => {
  it('come from the files, and are numbers without', () => {
    const accounts = new Accounts(etc);
    expect([0, 1000, 77].map((uid) => accounts.userName(uid))).toEqual(['root', 'alice', 'uid 77']);
    expect(new Accounts(join(etc, 'nothing')).userName(0)).toBe('uid 0');
  });
});
