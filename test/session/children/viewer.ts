/** A viewer without a screen: a line for every Frame that it gets, and what it is told of the others. Argument: the socket. */
import { AttachSource } from '../../../src/session/client/attach-source.ts';
import { dialSession } from '../../../src/session/client/dial.ts';

const source = await AttachSource.open({ dial: () => dialSession(process.argv[2] ?? ''), version: 'test', terminal: `viewer/${process.pid}`, steps: { firstMs: 50, longestMs: 200 } });
const say = (line: unknown): void => { process.stdout.write(`${JSON.stringify(line)}\n`); };
say({ welcome: source.welcome });
source.onTrouble((trouble) => say({ trouble }));
source.company.subscribe(() => {
  const { self, viewers } = source.company;
  say({ skipped: viewers.find(({ id }) => id === self)?.skipped ?? null, viewers: viewers.map(({ name, skipped }) => [name, skipped]) });
});
source.subscribe(({ seq, intervalMs }) => say({ seq, intervalMs }));
process.on('SIGTERM', () => void source.close().then(() => process.exit(0)));
