import { describe, expect, it } from 'vitest';
import type { TcpRow } from '../../src/frame/frame.ts';
import { TcpProbe } from '../../src/probes/tcp.ts';
import { canLoadBpf, ownPath, TestCgroup, until } from '../workloads/cgroup.ts';
import { Workload } from '../workloads/workload.ts';
import { addon, Live, tally, totalOf } from './live.ts';

const PLENTY = { rowsPerSecond: 1_000_000, maxRows: 1_000_000 };
const FAMILIES = [
  { family: '4', host: '127.0.0.1', shown: { family: 4, address: '127.0.0.1' } },
  { family: '6', host: '::1', shown: { family: 6, address: '::1' } },
  { family: 'm', host: '127.0.0.1', shown: { family: 4, address: '127.0.0.1' } },
] as const;
const MODES = ['block', 'nonblock', 'soerror'] as const;

const numbers = (list: string | undefined): number[] => (list ?? '').split(',').filter(Boolean).map(Number);
/** "0:5,111:3 40000,40001" */
function connected(answer: string): { errors: Record<number, number>; ports: number[] } {
  const [errors = '', ports = ''] = answer.split(' ');
  return { errors: Object.fromEntries(errors.split(',').map((pair) => pair.split(':').map(Number))) as Record<number, number>, ports: numbers(ports) };
}
const byPort = (a: number, b: number): number => a - b;

/** A server and a client, each in a cgroup of its own, and the probe. */
class Scene implements AsyncDisposable {
  readonly serverGroup = new TestCgroup(ownPath('server'));
  readonly clientGroup = new TestCgroup(ownPath('client'));
  readonly server = new Workload('tcp', [this.serverGroup]);
  readonly client = new Workload('tcp', [this.clientGroup]);
  readonly live: Live<'tcp'>;

  private constructor(live: Live<'tcp'>) {
    this.live = live;
  }

  static async start(before?: (server: Workload) => Promise<void>): Promise<Scene> {
    const scene = new Scene(Live.create(new TcpProbe(PLENTY)));
    await Promise.all([scene.server.ask('pid'), scene.client.ask('pid')]);
    await before?.(scene.server);
    await scene.live.begin();
    return scene;
  }

  /** What the probe has since the last call, by side; only outcomes. */
  tick() {
    const tick = this.live.tick();
    const rows = tick.rows.filter((row) => row.outcome !== 'pending');
    return {
      tick,
      client: { rows: rows.filter((row) => row.container === this.clientGroup.key), total: totalOf(tick.totals, this.clientGroup.key) },
      server: { rows: rows.filter((row) => row.container === this.serverGroup.key), total: totalOf(tick.totals, this.serverGroup.key) },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.live[Symbol.dispose]();
    await this.server[Symbol.asyncDispose]();
    await this.client[Symbol.asyncDispose]();
    await this.serverGroup.remove();
    await this.clientGroup.remove();
  }
}

const endOf = (row: TcpRow): unknown => [row.direction, row.family, row.outcome, row.error, row.retransmits];

describe.skipIf(!canLoadBpf)('the tcp probe (needs root and BTF)', () => {
  describe.each(FAMILIES)('over $family', ({ family, host, shown }) => {
    it.each(MODES)('sees both ends of N connections made with %s, with owner, addresses and ports', async (mode) => {
      const n = 20;
      await using scene = await Scene.start();
      const port = Number(await scene.server.ask(`listen 0 ${family} ${host} 0 128`));
      const accepted = scene.server.ask(`accept 0 ${n} close`);
      const { errors, ports } = connected(await scene.client.ask(`connect ${n} ${family} ${host} ${port} ${mode} close`));
      expect(errors).toEqual({ 0: n });
      expect(numbers(await accepted).sort(byPort)).toEqual([...ports].sort(byPort));
      const { client, server } = scene.tick();

      expect(client.total).toEqual({ container: scene.clientGroup.key, count: n, errors: {} });
      expect(client.rows.map((row) => row.localPort)).toEqual(ports);
      for (const row of client.rows) {
        expect(row).toMatchObject({
          pid: scene.client.pid, nsPid: scene.client.pid, direction: 'connect', family: shown.family, outcome: 'established', error: null, retransmits: 0,
          localAddress: shown.address, remoteAddress: shown.address, remotePort: port,
        });
        expect(row.comm).toMatch(/^tcp-/);
        expect(row.latencyUs).toBeGreaterThan(0);
        expect(row.latencyUs).toBeLessThan(10_000_000);
      }
      expect(server.total).toEqual({ container: scene.serverGroup.key, count: n, errors: {} });
      expect(server.rows.map((row) => row.remotePort).sort(byPort)).toEqual([...ports].sort(byPort));
      for (const row of server.rows) {
        expect(row).toMatchObject({
          pid: scene.server.pid, direction: 'accept', family: shown.family, outcome: 'established', error: null, retransmits: 0,
          localAddress: shown.address, localPort: port, remoteAddress: shown.address,
        });
        expect(row.latencyUs).toBeGreaterThan(0);
        expect(row.latencyUs).toBeLessThan(10_000_000);
      }
    });

    it.each(MODES)('names a refused connection, once, made with %s', async (mode) => {
      const n = 15;
      await using scene = await Scene.start();
      const port = Number(await scene.server.ask(`listen 0 ${family} ${host} 0 1`));
      await scene.server.ask('stop 0');
      const { errors } = connected(await scene.client.ask(`connect ${n} ${family} ${host} ${port} ${mode} close`));
      expect(errors).toEqual({ 111: n });
      const { client, server } = scene.tick();
      expect(client.total).toEqual({ container: scene.clientGroup.key, count: n, errors: { ECONNREFUSED: n } });
      expect(tally(client.rows.map((row) => JSON.stringify(endOf(row))))).toEqual(new Map([[JSON.stringify(['connect', shown.family, 'refused', 'ECONNREFUSED', 0]), n]]));
      for (const row of client.rows) {
        expect(row).toMatchObject({ pid: scene.client.pid, remoteAddress: shown.address, remotePort: port, localAddress: shown.address });
        expect(row.localPort).toBeGreaterThan(0);
      }
      expect(server.rows).toEqual([]);
    });
  });

  it('tells a later reset apart from a new connection', async () => {
    const n = 6;
    await using scene = await Scene.start();
    const port = Number(await scene.server.ask('listen 0 4 127.0.0.1 0 128'));
    const accepted = scene.server.ask(`accept 0 ${n} hold`);
    await scene.client.ask(`connect ${n} 4 127.0.0.1 ${port} block hold`);
    await accepted;
    const first = scene.tick();
    expect(first.client.total).toMatchObject({ count: n, errors: {} });
    await scene.server.ask('later reset');
    expect(await scene.client.ask('read')).toBe(`104:${n}`);
    const { client, server } = scene.tick();
    expect(client.total).toMatchObject({ count: 0, errors: { ECONNRESET: n } });
    expect(client.rows.map(endOf)).toEqual(Array.from({ length: n }, () => ['connect', 4, 'reset', 'ECONNRESET', 0]));
    expect(client.rows.map((row) => [row.pid, row.localPort, row.remotePort])).toEqual(first.client.rows.map((row) => [row.pid, row.localPort, row.remotePort]));
    // The side that reset knows what it did.
    expect(server.total).toMatchObject({ count: 0, errors: {} });
    expect(server.rows).toEqual([]);
  });

  it('reports the reset of an accepted connection on the side that was hit', async () => {
    await using scene = await Scene.start();
    const port = Number(await scene.server.ask('listen 0 6 ::1 0 128'));
    const accepted = scene.server.ask('accept 0 3 hold');
    await scene.client.ask(`connect 3 6 ::1 ${port} block reset`);
    await accepted;
    expect(await scene.server.ask('read')).toBe('104:3');
    const { client, server } = scene.tick();
    expect(server.total).toMatchObject({ count: 3, errors: { ECONNRESET: 3 } });
    expect(tally(server.rows.map((row) => row.outcome))).toEqual(new Map([['established', 3], ['reset', 3]]));
    expect(server.rows.every((row) => row.direction === 'accept' && row.pid === scene.server.pid)).toBe(true);
    expect(client.total).toMatchObject({ count: 3, errors: {} });
  });

  it('does not take an orderly close, on either side, for an error', async () => {
    await using scene = await Scene.start();
    const port = Number(await scene.server.ask('listen 0 4 127.0.0.1 0 128'));
    for (const first of ['server', 'client'] as const) {
      const accepted = scene.server.ask('accept 0 4 hold');
      await scene.client.ask(`connect 4 4 127.0.0.1 ${port} block hold`);
      await accepted;
      await scene[first].ask('later close');
      await scene[first === 'server' ? 'client' : 'server'].ask('later close');
    }
    const { client, server } = scene.tick();
    expect(client.total).toMatchObject({ count: 8, errors: {} });
    expect(server.total).toMatchObject({ count: 8, errors: {} });
  });

  it('counts neither UDP nor UNIX sockets nor calls that reach no socket, but wrong arguments', async () => {
    await using scene = await Scene.start();
    expect(await scene.client.ask('udp 5 127.255.255.255 9')).toBe('13');
    expect(await scene.client.ask('unix 5 /kbtop-none')).toBe('2');
    expect(await scene.client.ask('misuse 5 fd')).toBe('9');
    expect(scene.tick().client).toEqual({ rows: [], total: { container: scene.clientGroup.key, count: 0, errors: {} } });
    expect(await scene.client.ask('misuse 2 pointer')).toBe('14');
    expect(await scene.client.ask('misuse 3 short')).toBe('22');
    const { client } = scene.tick();
    expect(client.total).toMatchObject({ count: 5, errors: { EFAULT: 2, EINVAL: 3 } });
    expect(client.rows.every((row) => row.outcome === 'failed' && row.remotePort === 0 && row.latencyUs === null)).toBe(true);
  });

  describe('who owns an accepted connection', () => {
    it('is the process that accepts, when it was forked after listen()', async () => {
      await using scene = await Scene.start();
      const port = Number(await scene.server.ask('listen 0 4 127.0.0.1 0 128'));
      const ports: number[] = [], owners: number[] = [];
      for (let i = 0; i < 3; i++) {
        const accepted = scene.server.ask('accept-child 0 5 close');
        ports.push(...connected(await scene.client.ask(`connect 5 4 127.0.0.1 ${port} block close`)).ports);
        const child = Number((await accepted).split(' ')[0]);
        owners.push(child, child, child, child, child);
      }
      const own = scene.server.ask('accept 0 2 close');
      ports.push(...connected(await scene.client.ask(`connect 2 4 127.0.0.1 ${port} block close`)).ports);
      await own;
      owners.push(scene.server.pid, scene.server.pid);
      const { server } = scene.tick();
      expect(server.total.count).toBe(17);
      expect(new Map(server.rows.map((row) => [row.remotePort, row.pid]))).toEqual(new Map(ports.map((p, i) => [p, owners[i]])));
    });

    it('is in its container, also when the socket was made in another, as with socket activation', async () => {
      await using service = new TestCgroup(ownPath('service'));
      await using scene = await Scene.start();
      const port = Number(await scene.server.ask('listen 0 4 127.0.0.1 0 128'));
      const first = scene.server.ask(`accept-in 0 1 close ${service.directory}/cgroup.procs`);
      await scene.client.ask(`connect 1 4 127.0.0.1 ${port} block close`);
      await first;
      const second = scene.server.ask(`accept-in 0 9 close ${service.directory}/cgroup.procs`);
      await scene.client.ask(`connect 9 4 127.0.0.1 ${port} block close`);
      const pid = Number((await second).split(' ')[0]);
      const { tick, server } = scene.tick();
      const rows = tick.rows.filter((row) => row.container === service.key);
      expect(rows).toHaveLength(10);
      expect(rows.filter((row) => row.pid === pid)).toHaveLength(9);
      // Only what came before its first accept() was counted where the listener is.
      expect(server.rows).toEqual([]);
      expect([server.total.count, totalOf(tick.totals, service.key).count]).toEqual([1, 9]);
    });

    it('is known for listeners and connections that were there before the probe', async () => {
      let port = 0;
      await using scene = await Scene.start(async (server) => {
        port = Number(await server.ask('listen 0 4 127.0.0.1 0 128'));
      });
      const accepted = scene.server.ask('accept 0 3 hold');
      await scene.client.ask(`connect 3 4 127.0.0.1 ${port} block hold`);
      await accepted;
      const { server } = scene.tick();
      expect(server.rows.map((row) => [row.pid, row.localPort])).toEqual(Array.from({ length: 3 }, () => [scene.server.pid, port]));

      // A second probe knows nothing of how these connections began; but whose they are, and which way they went.
      using late = await Live.start(new TcpProbe(PLENTY));
      await scene.server.ask('later reset');
      await scene.client.ask('read');
      const { rows } = late.tick();
      const own = rows.filter((row) => row.container === scene.clientGroup.key);
      expect(own.map((row) => [row.direction, row.outcome, row.pid, row.remotePort, row.latencyUs])).toEqual(Array.from({ length: 3 }, () => ['connect', 'reset', scene.client.pid, port, null]));
    });

    it('is each its own with SO_REUSEPORT', async () => {
      await using otherGroup = new TestCgroup(ownPath('other'));
      await using other = new Workload('tcp', [otherGroup]);
      await using scene = await Scene.start();
      const port = Number(await scene.server.ask('listen 0 4 127.0.0.1 0 128 reuseport'));
      expect(Number(await other.ask(`listen 0 4 127.0.0.1 ${port} 128 reuseport`))).toBe(port);
      const n = 60;
      await scene.client.ask(`connect ${n} 4 127.0.0.1 ${port} block hold`);
      const { tick, server } = scene.tick();
      const others = tick.rows.filter((row) => row.container === otherGroup.key);
      expect(server.rows.length + others.length).toBe(n);
      expect(new Set(server.rows.map((row) => row.pid))).toEqual(new Set([scene.server.pid]));
      expect(new Set(others.map((row) => row.pid))).toEqual(new Set([other.pid]));
      // The kernel's choice, asked of the kernel: what waits in each queue.
      await Promise.all([scene.server.ask(`accept 0 ${server.rows.length} close`), other.ask(`accept 0 ${others.length} close`)]);
    });
  });

  it('sees connections made through io_uring, with their owner', async () => {
    await using scene = await Scene.start();
    const port = Number(await scene.server.ask('listen 0 4 127.0.0.1 0 128'));
    const accepted = scene.server.ask('accept 0 5 close');
    const good = connected(await scene.client.ask(`connect 5 4 127.0.0.1 ${port} uring close`));
    await accepted;
    await scene.server.ask('stop 0');
    const bad = connected(await scene.client.ask(`connect 4 4 127.0.0.1 ${port} uring close`));
    expect([good.errors, bad.errors]).toEqual([{ 0: 5 }, { 111: 4 }]);
    const { client } = scene.tick();
    expect(client.total).toMatchObject({ count: 9, errors: { ECONNREFUSED: 4 } });
    expect(client.rows.map((row) => [row.pid, row.localPort, row.outcome])).toEqual([
      ...good.ports.map((local) => [scene.client.pid, local, 'established']),
      ...bad.ports.map(() => [scene.client.pid, expect.any(Number), 'refused']),
    ]);
  });

  it('counts every connection of a burst, and what the budget leaves out', async () => {
    const n = 3000;
    await using scene = await Scene.start();
    const probe = scene.live.probe as TcpProbe;
    probe.setLevel('off');
    scene.tick();
    probe.setRowsPerSecond(400);
    probe.setLevel('latency');
    const port = Number(await scene.server.ask('listen 0 4 127.0.0.1 0 128'));
    const accepted = scene.server.ask(`accept 0 ${n} close`);
    await scene.client.ask(`connect ${n} 4 127.0.0.1 ${port} block close`);
    await accepted;
    probe.setLevel('off');
    const { tick, client, server } = scene.tick();
    expect(client.total).toMatchObject({ count: n, errors: {} });
    expect(server.total).toMatchObject({ count: n, errors: {} });
    const events = tick.totals?.reduce((sum, total) => sum + total.count + Object.values(total.errors).reduce((a, b) => a + b, 0), 0) ?? 0;
    expect(tick.loss.overBudget).toBeGreaterThan(0);
    expect(tick.loss.kept + tick.loss.overBudget + tick.loss.lostRing).toBe(tick.loss.seen);
    // Failed attempts are in both sums; there are none of ours, and hardly any of others.
    expect(Math.abs(tick.loss.seen - events)).toBeLessThanOrEqual(20);
  });

  it('leaves nothing in the kernel', async () => {
    const probe = new TcpProbe();
    const live = await Live.start(probe);
    const own = probe.object?.programs().map((program) => program.id) ?? [];
    expect(own.length).toBeGreaterThan(5);
    live.probe.close();
    live.probe.close();
    await until('programs to go', () => own.every((id) => !addon.kernelIds().programs.includes(id)));
  });
});
