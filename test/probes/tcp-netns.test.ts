import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TcpRow } from '../../src/frame/frame.ts';
import { TcpProbe } from '../../src/probes/tcp.ts';
import { canLoadBpf, ownPath, TestCgroup, until } from '../workloads/cgroup.ts';
import { Workload } from '../workloads/workload.ts';
import { Live, tally, totalOf } from './live.ts';

const PLENTY = { rowsPerSecond: 1_000_000, maxRows: 1_000_000 };
const canMakeNetworks = canLoadBpf && spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1']).status === 0;

const SILENT = { 4: '10.99.0.2', 6: 'fd99::2' } as const;
const portsOf = (answer: string): number[] => (answer.split(' ')[1] ?? '').split(',').map(Number);
const errorsOf = (answer: string): string => answer.split(' ')[0] ?? '';

/**
 * Two network namespaces joined by a cable. Near 10.99.0.1 and fd99::1; far 10.99.0.3 and fd99::3 answer, .2 and ::2
 * are addresses whose packets arrive at the far end and are dropped there without a word.
 */
class Networks implements AsyncDisposable {
  readonly group = new TestCgroup(ownPath('near'));
  readonly farGroup = new TestCgroup(ownPath('far'));
  readonly near = new Workload('tcp', [this.group], ['unshare', '--net']);
  readonly far = new Workload('tcp', [this.farGroup], ['unshare', '--net']);

  static async make(): Promise<Networks> {
    const networks = new Networks();
    const [near, far] = [Number(await networks.near.ask('pid')), Number(await networks.far.ask('pid'))];
    networks.ip(near, `link add v0 type veth peer name v1 netns ${far}`);
    for (const [pid, device, number] of [[near, 'v0', 1], [far, 'v1', 3]] as const) {
      networks.ip(pid, 'link set lo up');
      networks.ip(pid, `addr add 10.99.0.${number}/24 dev ${device}`);
      networks.ip(pid, `addr add fd99::${number}/64 dev ${device} nodad`);
      networks.ip(pid, `link set ${device} up`);
    }
    const mac = /ether (\S+)/.exec(networks.ip(far, 'link show v1'))?.[1] ?? '';
    networks.ip(near, `neigh add ${SILENT[4]} lladdr ${mac} dev v0`);
    networks.ip(near, `neigh add ${SILENT[6]} lladdr ${mac} dev v0`);
    networks.sysctl('net/ipv4/tcp_syn_retries', '1');
    return networks;
  }

  /** Another process at the near end. */
  nearWorkload(): Workload {
    return new Workload('tcp', [this.group], ['nsenter', `--net=/proc/${this.near.pid}/ns/net`]);
  }

  ip(pid: number, command: string): string {
    return execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', ...command.split(' ')], { encoding: 'utf8' });
  }

  sysctl(name: string, value: string): void {
    execFileSync('nsenter', [`--net=/proc/${this.near.pid}/ns/net`, 'sh', '-c', `echo '${value}' > /proc/sys/${name}`]);
  }

  /** The near kernel's own count of segments sent again. */
  get retransmitted(): number {
    const [names = '', values = ''] = readFileSync(`/proc/${this.near.pid}/net/snmp`, 'utf8').split('\n').filter((line) => line.startsWith('Tcp:'));
    return Number(values.split(' ')[names.split(' ').indexOf('RetransSegs')]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.near[Symbol.asyncDispose]();
    await this.far[Symbol.asyncDispose]();
    await this.group.remove();
    await this.farGroup.remove();
  }
}

describe.skipIf(!canMakeNetworks)('the tcp probe in networks of its own (needs root, BTF and veth)', () => {
  let networks: Networks;
  let live: Live<'tcp'>;
  beforeAll(async () => {
    networks = await Networks.make();
    live = await Live.start(new TcpProbe(PLENTY));
  });
  afterAll(async () => {
    live?.[Symbol.dispose]();
    await networks?.[Symbol.asyncDispose]();
  });

  /** What came of a command at the near end. */
  async function run(command: string) {
    live.tick();
    const answer = await networks.near.ask(command);
    const tick = live.tick();
    return { answer, rows: tick.rows.filter((row) => row.container === networks.group.key), total: totalOf(tick.totals, networks.group.key) };
  }
  const ends = (rows: readonly TcpRow[]) => Object.fromEntries(tally(rows.map((row) => [row.outcome, row.error, row.retransmits].join(' '))));

  describe.each([4, 6] as const)('over IPv%i', (family) => {
    it('a port that never answers times out, however it was asked, with as many retransmits as the kernel counts', async () => {
      await using second = networks.nearWorkload();
      await using third = networks.nearWorkload();
      live.tick();
      const before = networks.retransmitted;
      const answers = await Promise.all(([[networks.near, 'block'], [second, 'nonblock'], [third, 'soerror']] as const).map(([workload, mode]) => workload.ask(`connect 1 ${family} ${SILENT[family]} 80 ${mode} close`)));
      const tick = live.tick();
      const rows = tick.rows.filter((row) => row.container === networks.group.key);
      expect(answers.map(errorsOf)).toEqual(['110:1', '110:1', '110:1']);
      expect(totalOf(tick.totals, networks.group.key)).toMatchObject({ count: 3, errors: { ETIMEDOUT: 3 } });
      expect(rows.map((row) => row.localPort).sort()).toEqual(answers.flatMap(portsOf).sort());
      const each = (networks.retransmitted - before) / 3;
      expect(each).toBeGreaterThanOrEqual(1);
      expect(ends(rows)).toEqual({ [`timeout ETIMEDOUT ${each}`]: 3 });
      expect(new Set(rows.map((row) => row.pid)).size).toBe(3);
      for (const row of rows) {
        expect(row).toMatchObject({ family, remoteAddress: SILENT[family], remotePort: 80 });
        expect(row.latencyUs).toBeGreaterThan(1_500_000);
      }
    });

    it('is pending until then, in every tick, with its ports, and not counted', async () => {
      live.tick();
      const answer = networks.near.ask(`connect 1 ${family} ${SILENT[family]} 81 block close`);
      const pending = () => live.tick();
      const first = await until('a pending row', () => {
        const tick = pending();
        const row = tick.rows.find((one) => one.container === networks.group.key);
        return row && { row, tick };
      });
      expect(first.row).toMatchObject({ outcome: 'pending', error: null, latencyUs: null, pid: networks.near.pid, remoteAddress: SILENT[family], remotePort: 81 });
      expect(first.row.localPort).toBeGreaterThan(0);
      expect(totalOf(first.tick.totals, networks.group.key).count).toBe(0);
      const again = pending().rows.filter((row) => row.container === networks.group.key);
      expect(again.map((row) => [row.outcome, row.time, row.localPort])).toEqual([['pending', first.row.time, first.row.localPort]]);
      expect(portsOf(await answer)).toEqual([first.row.localPort]);
      const last = live.tick();
      expect(last.rows.filter((row) => row.container === networks.group.key).map((row) => [row.outcome, row.localPort])).toEqual([['timeout', first.row.localPort]]);
      expect(totalOf(last.totals, networks.group.key).count).toBe(1);
    });

    it('a connection that the program gives up is cancelled: at once it has failed, after a repeated SYN it timed out', async () => {
      const soon = await run(`connect 3 ${family} ${SILENT[family]} 82 abandon:20 close`);
      expect(soon.total).toMatchObject({ count: 3, errors: { ECANCELED: 3 } });
      expect(ends(soon.rows)).toEqual({ 'failed ECANCELED 0': 3 });
      expect(soon.rows.map((row) => row.localPort)).toEqual(portsOf(soon.answer));
      const late = await run(`connect 1 ${family} ${SILENT[family]} 82 sndtimeo:1300 close`);
      expect(ends(late.rows)).toEqual({ 'timeout ECANCELED 1': 1 });
    });

    it('names every way to be unreachable, also where no SYN was ever sent', async () => {
      const pid = networks.near.pid;
      const net = family === 4 ? (n: number) => `10.${n}.0.0/16` : (n: number) => `fd${n}::/16`;
      const host = family === 4 ? (n: number) => `10.${n}.0.1` : (n: number) => `fd${n}::1`;
      const cases: [n: number, kind: string, errno: number, expected: string][] = [
        [20, '', 101, 'unreachable ENETUNREACH 0'],
        [21, 'unreachable', 113, 'unreachable EHOSTUNREACH 0'],
        [22, 'prohibit', 13, 'failed EACCES 0'],
        [23, 'blackhole', 22, 'failed EINVAL 0'],
      ];
      for (const [n, kind, errno, expected] of cases) {
        if (kind !== '') networks.ip(pid, `-${family} route add ${kind} ${net(n)}`);
        for (const mode of ['block', 'nonblock']) {
          const { answer, rows, total } = await run(`connect 4 ${family} ${host(n)} 80 ${mode} close`);
          expect([kind, mode, errorsOf(answer)]).toEqual([kind, mode, `${errno}:4`]);
          expect(ends(rows)).toEqual({ [expected]: 4 });
          expect(total.count).toBe(4);
          expect(rows.every((row) => row.pid === pid && row.remoteAddress === host(n) && row.remotePort === 80 && row.family === family && row.latencyUs === null)).toBe(true);
        }
      }
    });

    it('learns from the network that a host is not there', async () => {
      const host = family === 4 ? '10.99.0.77' : 'fd99::77';
      networks.sysctl('net/ipv4/tcp_syn_retries', '6');
      const { answer, rows } = await run(`connect 1 ${family} ${host} 80 block close`);
      networks.sysctl('net/ipv4/tcp_syn_retries', '1');
      expect(errorsOf(answer)).toBe('113:1');
      expect(rows.map((row) => [row.outcome, row.error, row.remoteAddress])).toEqual([['unreachable', 'EHOSTUNREACH', host]]);
      expect(rows[0]?.latencyUs).toBeGreaterThan(100_000);
    });

    it('says when local ports have run out, which happens after the SYN state was entered', async () => {
      const host = family === 4 ? '10.99.0.3' : 'fd99::3';
      const port = Number(await networks.far.ask(`listen ${family} ${family} ${family === 4 ? '0.0.0.0' : '::'} 0 16`));
      networks.sysctl('net/ipv4/ip_local_port_range', '40000 40001');
      const { answer, rows, total } = await run(`connect 5 ${family} ${host} ${port} block hold`);
      networks.sysctl('net/ipv4/ip_local_port_range', '32768 60999');
      await networks.near.ask('later reset');
      await networks.far.ask(`stop ${family}`);
      expect(errorsOf(answer)).toBe('0:2,99:3');
      expect(total).toMatchObject({ count: 5, errors: { EADDRNOTAVAIL: 3 } });
      expect(ends(rows)).toEqual({ 'established  0': 2, 'failed EADDRNOTAVAIL 0': 3 });
      expect(rows.every((row) => row.remoteAddress === host && row.remotePort === port)).toBe(true);
    });

    it('shows an established connection again when it has to retransmit, as often as the kernel counts', async () => {
      const host = family === 4 ? '10.99.0.3' : 'fd99::3';
      const port = Number(await networks.far.ask(`listen ${family} ${family} ${family === 4 ? '0.0.0.0' : '::'} 0 16`));
      const accepted = networks.far.ask(`accept ${family} 1 hold`);
      const made = await run(`connect 1 ${family} ${host} ${port} block hold`);
      await accepted;
      expect(ends(made.rows)).toEqual({ 'established  0': 1 });
      const [row] = made.rows;
      const farPid = networks.far.pid;
      networks.ip(farPid, family === 4 ? 'addr del 10.99.0.3/24 dev v1' : 'addr del fd99::3/64 dev v1');
      const before = networks.retransmitted;
      await networks.near.ask('write');
      let shown: TcpRow | undefined;
      await until('retransmits', () => {
        const tick = live.tick();
        const own = tick.rows.filter((one) => one.container === networks.group.key);
        expect(totalOf(tick.totals, networks.group.key).count).toBe(0);
        expect(own.length).toBeLessThanOrEqual(1);
        shown = own[0] ?? shown;
        return (shown?.retransmits ?? 0) >= 3;
      });
      networks.ip(farPid, family === 4 ? 'addr add 10.99.0.3/24 dev v1' : 'addr add fd99::3/64 dev v1 nodad');
      expect(shown).toEqual({ ...row, retransmits: shown?.retransmits });
      // Once acknowledged nothing is sent again: now both counts stand still.
      await until('the counts to settle', () => networks.retransmitted === before || execFileSync('nsenter', [`--net=/proc/${networks.near.pid}/ns/net`, 'ss', '-tHn', 'state', 'established'], { encoding: 'utf8' }).split('\n').filter(Boolean).every((line) => line.split(/\s+/)[1] === '0'));
      const last = live.tick().rows.find((one) => one.container === networks.group.key);
      expect(Math.max(shown?.retransmits ?? 0, last?.retransmits ?? 0)).toBe(networks.retransmitted - before);
      expect(live.tick().rows.filter((one) => one.container === networks.group.key)).toEqual([]);
      await Promise.all([networks.near.ask('later reset'), networks.far.ask('later reset')]);
      await networks.far.ask(`stop ${family}`);
    });
  });

  it('lists every pending connection, however many, each once', async () => {
    const n = 900;
    live.tick();
    networks.sysctl('net/ipv4/tcp_syn_retries', '6');
    const answer = await networks.near.ask(`connect ${n} 4 ${SILENT[4]} 90 begin hold`);
    for (let i = 0; i < 2; i++) {
      const { rows, loss } = live.tick();
      const own = rows.filter((row) => row.container === networks.group.key);
      expect(own.every((row) => row.outcome === 'pending')).toBe(true);
      expect(own.map((row) => row.localPort).sort()).toEqual(portsOf(answer).sort());
      expect(loss.seen).toBe(rows.filter((row) => row.outcome !== 'pending').length);
    }
    networks.sysctl('net/ipv4/tcp_syn_retries', '1');
    expect(await networks.near.ask('later close')).toBe(String(n));
    const { rows, totals } = live.tick();
    expect(rows.filter((row) => row.container === networks.group.key).map((row) => row.error)).toEqual(Array.from({ length: n }, () => 'ECANCELED'));
    expect(totalOf(totals, networks.group.key)).toMatchObject({ count: n, errors: { ECANCELED: n } });
    expect(live.tick().rows.filter((row) => row.container === networks.group.key)).toEqual([]);
  });

  it('counts the SYN-ACKs that a server had to send again', async () => {
    live.tick();
    const port = Number(await networks.far.ask('listen 0 4 0.0.0.0 0 16'));
    // The far end's answers go nowhere until it is told where the near end is.
    const mac = /ether (\S+)/.exec(networks.ip(networks.near.pid, 'link show v0'))?.[1] ?? '';
    networks.ip(networks.far.pid, 'neigh replace 10.99.0.1 lladdr 02:00:00:00:00:99 dev v1 nud permanent');
    const accepted = networks.far.ask('accept 0 1 close');
    networks.sysctl('net/ipv4/tcp_syn_retries', '6');
    const connected = networks.near.ask(`connect 1 4 10.99.0.3 ${port} block close`);
    await sleep(1500);
    networks.ip(networks.far.pid, `neigh replace 10.99.0.1 lladdr ${mac} dev v1 nud permanent`);
    await Promise.all([accepted, connected]);
    networks.sysctl('net/ipv4/tcp_syn_retries', '1');
    const { rows } = live.tick();
    const row = rows.find((one) => one.container === networks.farGroup.key);
    expect(row).toMatchObject({ direction: 'accept', outcome: 'established', remoteAddress: '10.99.0.1', localPort: port });
    expect(row?.retransmits).toBeGreaterThanOrEqual(1);
    expect(row?.latencyUs).toBeGreaterThan(1_000_000);
  });

  it('follows a connection made with TCP fast open', async () => {
    networks.sysctl('net/ipv4/tcp_fastopen', '1');
    execFileSync('nsenter', [`--net=/proc/${networks.far.pid}/ns/net`, 'sh', '-c', 'echo 3 > /proc/sys/net/ipv4/tcp_fastopen']);
    live.tick();
    const port = Number(await networks.far.ask('listen 0 4 0.0.0.0 0 16'));
    const accepted = networks.far.ask('accept 0 4 hold');
    const answer = await networks.near.ask(`connect 4 4 10.99.0.3 ${port} fastopen hold`);
    await accepted;
    const { rows, totals } = live.tick();
    expect(errorsOf(answer)).toBe('0:4');
    for (const [group, direction] of [[networks.group, 'connect'], [networks.farGroup, 'accept']] as const) {
      const own = rows.filter((row) => row.container === group.key && row.outcome !== 'pending');
      expect(own.map((row) => [row.direction, row.outcome])).toEqual(Array.from({ length: 4 }, () => [direction, 'established']));
      expect(totalOf(totals, group.key)).toMatchObject({ count: 4, errors: {} });
    }
    await Promise.all([networks.near.ask('later close'), networks.far.ask('later close')]);
  });
});
