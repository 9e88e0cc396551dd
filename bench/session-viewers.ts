/** Viewers of bench/session.ts: they take every Frame and do nothing with it. Arguments: the socket, how many. A line when all have one more. */
import { connect } from 'node:net';
import { PROTOCOL } from '../src/session/protocol/limits.ts';
import { CLIENT_LIMITS, readToClient, writeToServer } from '../src/session/protocol/messages.ts';
import { WireReader } from '../src/session/protocol/wire.ts';

const [path = '', count = '1'] = process.argv.slice(2);
const TOOK = writeToServer({ kind: 'took' }), BEAT = writeToServer({ kind: 'beat' });
let taken = 0;

for (let i = 0; i < Number(count); i++) {
  const reader = new WireReader(CLIENT_LIMITS);
  const socket = connect(path, () => socket.write(writeToServer({ kind: 'hello', protocol: PROTOCOL, version: 'bench', terminal: null })));
  setInterval(() => socket.write(BEAT), 1000).unref();
  socket.on('data', (chunk: Buffer) => {
    for (const piece of reader.push(chunk)) {
      if (readToClient(piece)?.kind !== 'frame') continue;
      socket.write(TOOK);
      if (++taken % Number(count) === 0) process.stdout.write('all\n');
    }
  });
}
