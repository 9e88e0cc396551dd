/** Screens in processes and on terminals of their own, on one session. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FakeNode } from '../ui/fixtures.ts';
import { until } from '../ui/terminal/screen.ts';
import { Pty, bundled, plainEnv } from './pty.ts';
import { Relay } from './relay.ts';

let program = '';
beforeAll(async () => { program = await bundled('company.ts'); });

const running: Pty[] = [];
const relays: Relay[] = [];
afterEach(async () => {
  for (const relay of relays.splice(0)) relay.close();
  for (const pty of running.splice(0)) await pty.kill();
});

/** Alice at 160x45, then Bob at 80x24. */
async function pair() {
  const path = join(mkdtempSync(join(tmpdir(), 'kbtop-company-')), 'socket');
  const relay = new Relay(path, ['alice@pts/3', 'bob@pts/4']);
  relays.push(relay);
  const node = new FakeNode({ containers: 30, events: 20 });
  relay.frame(node.next());
  const start = (columns: number, rows: number): Pty => {
    const pty = new Pty(process.execPath, [program], { columns, rows, env: plainEnv({ COMPANY_SOCKET: path }) });
    running.push(pty);
    return pty;
  };
  const alice = start(160, 45);
  await alice.shows(/1 viewer /);
  const bob = start(80, 24);
  await alice.shows('2 viewers');
  await bob.shows('worker-1');
  return { relay, node, alice, bob };
}

const marked = async (pty: Pty): Promise<string | undefined> => (await pty.text()).split('\n').filter((line) => line.startsWith('▶')).map((line) => /\d{5} /.exec(line)?.[0])[0];

describe('two terminals on one session', () => {
  it('show the same while one follows, each in its own size, until it looks around alone', async () => {
    const { relay, node, alice, bob } = await pair();
    alice.write('D');
    await alice.shows('2 viewers, you drive, 1 follows');
    await bob.shows('2 viewers, following alice@pts/3');
    alice.write('6/worker\r');
    await bob.shows(/6 processes.*\/worker/);
    alice.write('z\x1b[F');
    await until(async () => {
      const there = await marked(alice);
      return there !== undefined && there === (await marked(bob));
    }, () => `the last row marked on\n${alice.emulator.text()}\nand on\n${bob.emulator.text()}`);
    relay.frame(node.next());
    bob.resize(100, 30);
    await until(() => bob.emulator.lines().length === 30 && bob.emulator.text().includes('following alice'), () => bob.emulator.text());
    expect(relay.session.viewers[1]?.follows).toBe(true);
    bob.write('1');
    await bob.shows('you look around alone: F follows alice@pts/3 again');
    await alice.shows('2 viewers, you drive, 0 follow');
    bob.write('V');
    await bob.shows(/alice@pts\/3 +drives[\s\S]*you bob@pts\/4 +looks around alone/);
    bob.write('qF');
    await bob.shows('6 processes');
    await alice.shows('1 follows');
  });

  it('tell a follower that the driver is gone, whatever ended it', async () => {
    const { alice, bob } = await pair();
    alice.write('D5z');
    await bob.shows(/following alice@pts\/3.*\n╭─ 5 containers/);
    alice.signal('SIGKILL');
    await bob.shows('alice@pts/3 has left: the screen stays as it is; D takes the wheel');
    await bob.shows(/1 viewer .*\n╭─ 5 containers/);
    bob.write('D');
    await bob.shows('1 viewer, you drive');
    bob.write('q');
    expect(await bob.ended()).toBe(0);
  });

  it('say that no data come when the session is lost, and stay', async () => {
    const { relay, alice, bob } = await pair();
    alice.write('D');
    await bob.shows('following alice@pts/3');
    relay.close();
    for (const pty of [alice, bob]) await pty.shows(/no data for \d+s .*session out of reach/);
    bob.write('q');
    expect(await bob.ended()).toBe(0);
  });
});
