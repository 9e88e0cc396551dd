/** The built program beside a real container runtime with real pods: every row has its name, and targets keep to it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/frame/frame.ts';
import { kbtopOn } from '../../runtime/kbtop.ts';
import { Pod } from '../../runtime/pods.ts';
import { Runtime, unavailable } from '../../runtime/runtime.ts';
import { SHAPES, type Shape, type Shapes, startShapes } from '../../runtime/shapes.ts';
import { canLoadBpf } from '../../workloads/cgroup.ts';
import { kbtop, onlyLine } from './kbtop.ts';

const why = unavailable() ?? (canLoadBpf ? null : 'no BTF');
const SNAPSHOT = ['snapshot', '--pane', 'containers', '--duration', '300ms', '-o', 'json'] as const;

describe.skipIf(why !== null)(`kbtop beside a container runtime${why === null ? '' : ` (${why})`}`, () => {
  let runtime: Runtime, shapes: Shapes;
  beforeAll(async () => {
    runtime = await Runtime.start();
    shapes = await startShapes(runtime);
  });
  afterAll(() => runtime.stop());

  async function frameOf(args: readonly string[], from: 'inside' | 'outside' = 'inside'): Promise<Frame> {
    const { code, stdout, stderr } = from === 'inside' ? await kbtopOn(runtime, args) : await kbtop(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Frame;
  }
  /** Names of the pods' containers that a Frame has rows of. */
  const named = ({ containers }: Frame): string[] => Object.values(containers).filter(({ kind }) => kind === 'pod').map(({ namespace, pod, container }) => `${namespace}/${pod}/${container}`).sort();
  const expected = (...wanted: Shape[]): string[] => wanted.flatMap((shape) => SHAPES[shape].containers.map(({ name }) => `${SHAPES[shape].namespace}/${SHAPES[shape].name}/${name}`)).sort();
  const all = Object.keys(SHAPES) as Shape[];

  it.each([['on the node', 'inside', []], ['with the host below another root', 'outside', ['--host-root']]] as const)('names every container %s', async (_, from, flags) => {
    const frame = await frameOf([...SNAPSHOT, ...flags.flatMap((flag) => [flag, runtime.hostRoot])], from);
    // Whatever lies in a container is the container's.
    expect([...new Set(named(frame))]).toEqual(expected(...all));
    const { pods, inner } = shapes;
    for (const shape of all) {
      for (const { name } of SHAPES[shape].containers) {
        const { id, key } = pods[shape].container(name);
        expect(frame.containers[key]).toMatchObject({ kind: 'pod', podUid: pods[shape].uid, containerId: id, container: name, nameSource: 'oci', unresolved: null });
      }
      expect(frame.containers[pods[shape].sandbox.key]).toMatchObject({ kind: 'sandbox', pod: SHAPES[shape].name, unresolved: null });
    }
    expect(frame.containers[inner.key]).toMatchObject({ container: 'init', pod: 'builder-1' });
    const web = frame.containers[pods.web.container('app').key];
    expect(web).toMatchObject({ labels: SHAPES.web.labels, labelSource: 'cri', owner: { kind: 'Deployment', name: 'web' } });
    expect(frame.containers[pods.hostname.container('postgres').key]?.nodename).toBe('custom-host');
  });

  it.each<[string, string[], Shape[]]>([
    ['a namespace', ['-n', 'shop'], ['web', 'hostname']],
    ['two namespaces', ['-n', 'ci,default'], ['nested', 'sharedPids']],
    ['all of them', ['-n', 'shop', '-A', '-c', 'postgres'], ['hostname']],
    ['labels', ['-l', 'app in (web,db),app!=db'], ['web', 'twin']],
    ['a missing label', ['-l', '!app,component'], ['static']],
    ['a pod', ['--pod', 'shop/db-0'], ['hostname']],
    ['a deployment', ['--pod', 'deploy/web'], ['web', 'twin']],
    ['a deployment of a namespace', ['--pod', 'deploy/web', '-n', 'staging'], ['twin']],
  ])('keeps to %s', async (_, flags, wanted) => {
    const found = named(await frameOf([...SNAPSHOT, ...flags]));
    expect([...new Set(found)]).toEqual(expected(...wanted));
  });

  it('lets the kernel leave out the others', async () => {
    const containers = [{ name: 'reader', command: ['sh', '-c', 'while :; do : < /bin/sh; sleep 0.02; done'] }];
    await using meant = await Pod.start(runtime, { name: 'meant', namespace: 'reading', containers });
    await using other = await Pod.start(runtime, { name: 'other', namespace: 'elsewhere', containers });
    const args = ['snapshot', '--pane', 'opens', '--duration', '700ms', '-o', 'json'];
    const count = ({ panes }: Frame, pod: Pod): number => panes.opens.totals.find(({ container }) => container === pod.container('reader').key)?.count ?? 0;
    const whole = await frameOf(args), part = await frameOf([...args, '-n', 'reading']);
    expect([count(whole, meant) > 5, count(whole, other) > 5, count(part, meant) > 5, count(part, other)]).toEqual([true, true, true, 0]);
    // What the kernel told is no more than what was asked for, and perhaps some of who was not known yet.
    const told = ({ panes }: Frame): number => panes.opens.loss.seen;
    expect(told(part) - count(part, meant)).toBeLessThan(count(part, meant));
    expect(told(whole)).toBeGreaterThanOrEqual(count(whole, meant) + count(whole, other));
  });

  it.each([
    [['-n', 'shpo'], /-n shpo; did you mean shop\?/],
    [['--pod', 'deploy/wbe'], /--pod deploy\/wbe/],
    [['-l', 'app=wbe'], /-l app=wbe; did you mean app=web\?/],
  ])('says that %j is nowhere', async (flags, message) => {
    const ended = await kbtopOn(runtime, [...SNAPSHOT, ...flags]);
    expect(ended.code).toBe(4);
    expect(onlyLine(ended)).toMatch(message);
  });

  it('tells in doctor which sources answer', async () => {
    const { stdout } = await kbtopOn(runtime, ['doctor', '-o', 'json']);
    const { checks } = JSON.parse(stdout) as { checks: { group: string; check: string; ok: string; reason: string }[] };
    const of = (name: string) => checks.find(({ group, check }) => group === 'identity' && check === name);
    expect(['cgroup', 'oci', 'cri', 'logs'].map((name) => [name, of(name)?.ok])).toEqual([['cgroup', 'yes'], ['oci', 'yes'], ['cri', 'yes'], ['logs', 'yes']]);
    expect(of('cri')?.reason).toMatch(/^containerd .* at \/run\/containerd\/containerd\.sock: 7 pods, 10 containers$/);
  });
});
