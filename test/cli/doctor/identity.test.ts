import { describe, expect, it } from 'vitest';
import { identityChecks, paneChecks } from '../../../src/cli/doctor/capture.ts';
import { sourceChecks } from '../../../src/cli/doctor/identity.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { Identity } from '../../../src/identity/identity.ts';
import type { NameSource, SourceState } from '../../../src/identity/source.ts';
import { Manager } from '../../../src/probes/manager.ts';
import { IdentityDouble, addonDouble, probeDoubles } from '../../probes/doubles.ts';

/** A source whose state the test decides. */
class SourceDouble implements NameSource {
  readonly id: NameSource['id'];
  state: SourceState;
  started = 0;
  closed = 0;
  readonly #starting: () => Promise<void>;

  constructor(id: NameSource['id'], status: SourceState['status'], reason: string, fix: string | null = null, starting = (): Promise<void> => Promise.resolve()) {
    this.id = id;
    this.state = { status, reason, fix };
    this.#starting = starting;
  }

  start(): Promise<void> {
    this.started++;
    return this.#starting();
  }

  lookup(): null {
    return null;
  }

  onChange(): void {}

  close(): void {
    this.closed++;
  }
}

const never = (): Promise<void> => new Promise(() => {});
/** With sources, and no BPF. */
class NamedDouble extends Identity {
  constructor(sources: readonly NameSource[]) {
    super({ sources });
  }

  override start(): Promise<void> {
    return Promise.resolve();
  }

  override resolve(): void {}
}

describe('sourceChecks', () => {
  it('has one check per source, in their order, with reason and advice', async () => {
    const sources = [
      new SourceDouble('oci', 'ok', '12 containers in /run/containerd'),
      new SourceDouble('cri', 'absent', 'no runtime socket at /run/containerd/containerd.sock, ...', '--runtime-endpoint'),
      new SourceDouble('logs', 'failing', '/var/log/containers: permission denied', 'run it with sudo'),
      new SourceDouble('api', 'off', 'not asked for'),
      new SourceDouble('kubelet', 'starting', 'https://127.0.0.1:10250', 'see its log'),
    ];
    expect(await sourceChecks(new Identity({ sources }), 20)).toEqual([
      { group: 'identity', check: 'oci', ok: 'yes', reason: '12 containers in /run/containerd', fix: null },
      { group: 'identity', check: 'cri', ok: 'no', reason: 'no runtime socket at /run/containerd/containerd.sock, ...', fix: '--runtime-endpoint' },
      { group: 'identity', check: 'logs', ok: 'no', reason: '/var/log/containers: permission denied', fix: 'run it with sudo' },
      { group: 'identity', check: 'api', ok: 'unknown', reason: 'not asked for', fix: null },
      { group: 'identity', check: 'kubelet', ok: 'unknown', reason: 'not answered within 0.02 s: https://127.0.0.1:10250', fix: 'see its log' },
    ]);
    expect(sources.map(({ started }) => started)).toEqual([1, 1, 1, 1, 1]);
  });

  it('tells what a source became while it was waited for', async () => {
    const late: SourceDouble = new SourceDouble('api', 'starting', '', null, async () => {
      await new Promise((resolve) => { setTimeout(resolve, 20); });
      late.state = { status: 'ok', reason: 'https://10.0.0.1', fix: null };
    });
    expect(await sourceChecks(new Identity({ sources: [late] }))).toMatchObject([{ ok: 'yes', reason: 'https://10.0.0.1' }]);
  });

  it('does not wait longer than told for one that hangs, and still tells of the others', async () => {
    const begun = performance.now();
    const checks = await sourceChecks(new Identity({ sources: [new SourceDouble('cri', 'starting', '', null, never), new SourceDouble('logs', 'ok', 'fine')] }), 100);
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(checks).toMatchObject([{ check: 'cri', ok: 'unknown', reason: 'not answered within 0.1 s' }, { check: 'logs', ok: 'yes' }]);
  });

  it('keeps reasons on one line, and never empty', async () => {
    const checks = await sourceChecks(new Identity({ sources: [new SourceDouble('cri', 'failing', 'first\n  second\n', 'a\nb'), new SourceDouble('api', 'absent', '')] }));
    expect(checks).toMatchObject([{ reason: 'first; second', fix: 'a; b' }, { reason: 'absent' }]);
  });

  it.each([
    ['a promise that is broken', () => Promise.reject(new Error('broken\nstack'))],
    ['an error at once', () => { throw new Error('broken\nstack'); }],
  ])('survives %s', async (_, start) => {
    expect(await sourceChecks(new Identity({ sources: [new SourceDouble('cri', 'ok', '', null, start)] }))).toMatchObject([{ check: 'sources', ok: 'unknown', reason: 'broken' }]);
  });
});

describe('paneChecks', () => {
  const manager = (sources: readonly NameSource[]): Manager =>
    new Manager({ addon: addonDouble, identity: new NamedDouble(sources), probes: probeDoubles().probes });

  it('tells of panes and sources, starts each source once and closes it', async () => {
    const sources = [new SourceDouble('cri', 'absent', 'no socket', '--runtime-endpoint'), new SourceDouble('logs', 'ok', 'fine')];
    const { panes, identity } = await paneChecks(() => manager(sources));
    expect(panes.map(({ check, ok }) => [check, ok])).toEqual(PANE_IDS.map((pane) => [pane, 'yes']));
    expect(identity.map(({ check, ok }) => [check, ok])).toEqual([['cgroup', 'yes'], ['cri', 'no'], ['logs', 'yes']]);
    expect(sources.map(({ started, closed }) => [started, closed])).toEqual([[1, 1], [1, 1]]);
  });

  it('tells of the sources also when nothing can be measured', async () => {
    const { panes, identity } = await paneChecks(() => {
      const broken = manager([new SourceDouble('logs', 'ok', 'fine')]);
      broken.sample = () => Promise.reject(new Error('no'));
      return broken;
    });
    expect(panes.every(({ ok, reason }) => ok === 'no' && reason === 'no')).toBe(true);
    expect(identity).toMatchObject([{ check: 'logs', ok: 'yes' }]);
  });

  it('never rejects', async () => {
    const { panes, identity } = await paneChecks(() => { throw new Error('no addon'); });
    expect(panes).toMatchObject(PANE_IDS.map((check) => ({ check, ok: 'no', reason: 'no addon' })));
    expect(identity).toEqual([]);
  });
});

describe('identityChecks', () => {
  it('asks the sources without BPF, and closes them', async () => {
    const source = new SourceDouble('logs', 'ok', 'fine');
    expect(await identityChecks(() => new Identity({ sources: [source] }))).toMatchObject([{ check: 'cgroup', ok: 'partly' }, { check: 'logs', ok: 'yes' }]);
    expect([source.started, source.closed]).toEqual([1, 1]);
    expect(await identityChecks(() => new IdentityDouble())).toMatchObject([{ check: 'cgroup', ok: 'partly' }]);
  });

  it('never rejects', async () => {
    expect(await identityChecks(() => { throw new Error('no /proc'); })).toMatchObject([{ check: 'cgroup', ok: 'no', reason: 'no /proc' }]);
  });
});
