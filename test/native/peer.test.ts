/** Who is at the other end of a unix socket: the kernel's word, for real processes of real other users. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SocketPeer } from '../../src/bpf/addon.ts';
import { peerOf } from '../../src/session/server/listener.ts';
import { addon } from './support.ts';

const CONNECT = 'use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!"; sysread($s, my $b, 1);';

let directory: string;
let server: Server;
const path = (): string => join(directory, 's');

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kbtop-peer-'));
  chmodSync(directory, 0o755);
  server = createServer();
  await new Promise<void>((resolve) => { server.listen(path(), resolve); });
  chmodSync(path(), 0o666);
});
afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

function whoComes(...prefix: readonly string[]): Promise<{ readonly peer: SocketPeer; readonly pid: number }> {
  return new Promise((resolve, reject) => {
    const [program = 'perl', ...args] = [...prefix, 'perl', '-e', CONNECT, path()];
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    server.once('connection', (socket: Socket) => {
      socket.on('error', reject);
      resolve({ peer: peerOf(socket, addon()), pid: child.pid ?? 0 });
      socket.end();
    });
    child.once('error', reject);
  });
}

describe('the other end of a socket', () => {
  it('is this user, by pid', async () => {
    const { peer, pid } = await whoComes();
    expect(peer).toMatchObject({ pid, uid: process.geteuid?.(), gid: process.getegid?.() });
  });

  it.skipIf(process.getuid?.() !== 0)('is another user, with more groups than fit at first (needs root to become one)', async () => {
    const groups = Array.from({ length: 200 }, (_, i) => 5000 + i);
    const { peer, pid } = await whoComes('setpriv', '--reuid', '12345', '--regid', '54321', '--groups', groups.join(','));
    expect(peer).toEqual({ pid, uid: 12345, gid: 54321, groups });
    const { peer: bare } = await whoComes('setpriv', '--reuid', '12345', '--regid', '54321', '--clear-groups');
    expect(bare.groups).toEqual([]);
  });

  it('is nobody where there is none', () => {
    expect(() => addon().socketPeer(-1)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(() => addon().socketPeer('0' as never)).toThrow(expect.objectContaining({ code: 'ERR_BPF_ARGUMENT' }));
  });
});
