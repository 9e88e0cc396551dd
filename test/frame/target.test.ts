import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContainerInfo, PodStatus } from '../../src/frame/frame.ts';
import { Target, TargetError, type TargetRequest } from '../../src/frame/target.ts';
import type { Verdict } from '../../src/frame/verdict.ts';
import { info } from '../output/frames.ts';

const STATUS: PodStatus = { ready: 1, containers: 1, status: 'Running', restarts: 0, createdAt: null };
const UID = '11111111-2222-3333-4444-555555555555';

const pod = (over: Partial<ContainerInfo> = {}): ContainerInfo => info({
  kind: 'pod', cgroupId: '4990', cgroup: '/kubepods/burstable/podU/C', namespace: 'shop', pod: 'web-1', podUid: UID, container: 'app',
  containerId: 'c0ffee'.padEnd(64, '0'), qos: 'Burstable', nameSource: 'logs', ...over,
});
/** Only ids from the path. */
const nameless = pod({ namespace: null, pod: null, container: null, nameSource: 'cgroup', unresolved: 'pod and container names: nothing told them' });
const service = info();
const plain = info({ kind: 'container', cgroup: '/docker/x', container: 'app', containerId: 'd0'.padEnd(64, '0'), labels: { app: 'web' } });
const gone = info({ kind: 'unknown', cgroup: null, container: null, unresolved: 'its cgroup was gone before its path could be read' });

function target(request: TargetRequest): Target {
  const parsed = Target.parse(request);
  if (parsed === null) throw new Error('nothing was asked for');
  return parsed;
}
const judge = (request: TargetRequest, of: ContainerInfo): Verdict => target(request).verdict('key', of);

describe('Target.parse', () => {
  it('is null when everything is asked for', () => {
    for (const request of [{}, { namespaces: [], pods: [] }, { allNamespaces: true }, { allNamespaces: true, namespaces: ['shop'] }]) expect(Target.parse(request)).toBeNull();
  });

  it('has a label as it was given', () => {
    expect(target({ namespaces: ['shop,test', 'x'], selectors: ['app=web,tier in (a, b)'], containers: ['app', 'it\'s'], pods: ['deploy/web'] }).label)
      .toBe('-n shop -n test -n x -l \'app=web,tier in (a, b)\' --pod deploy/web -c app -c \'it\'\\\'\'s\'');
    expect(target({ namespaces: ['shop'], allNamespaces: true, selectors: ['app=web', '!canary'] }).label).toBe('-l app=web -l \'!canary\'');
  });

  it.each<[TargetRequest, string]>([
    [{ namespaces: ['Shop'] }, '-n "Shop" cannot be a namespace: it cannot have "S" there'],
    [{ namespaces: ['a,,b'] }, '-n "" cannot be a namespace: it must have a lowercase letter or digit there'],
    [{ namespaces: ['kube-'], allNamespaces: true }, '-n "kube-" cannot be a namespace: it must end with'],
    [{ selectors: ['app in (web'] }, '-l "app in (web" at character 12: "," or ")" is expected, but the selector ends'],
    [{ containers: [''] }, '-c lacks the name of a container'],
    [{ pods: [''] }, '--pod lacks the name of a pod'],
    [{ pods: ['shop/'] }, '--pod "shop/" has nothing on one side of a "/"'],
    [{ pods: ['/web'] }, '--pod "/web" has nothing on one side of a "/"'],
    [{ pods: ['shop/svc/web'] }, '--pod "shop/svc/web": "svc" is no kind of pod owner; kinds are pod, deploy, sts, ds, rs, job, cj'],
    [{ pods: ['a/b/c/d'] }, '--pod "a/b/c/d" is not NAME, NAMESPACE/NAME, TYPE/NAME or NAMESPACE/TYPE/NAME'],
  ])('refuses %j on one line', (request, message) => {
    expect(() => Target.parse(request)).toThrow(TargetError);
    expect(() => Target.parse(request)).toThrow(message);
  });

  it('never throws anything else', () => {
    const texts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a/b', 'deploy/', 'x', 'job/a/b', '__proto__/x', 'x/constructor/y')), { maxLength: 2 });
    fc.assert(fc.property(fc.record({ namespaces: texts, allNamespaces: fc.boolean(), selectors: texts, containers: texts, pods: texts }), (request) => {
      try {
        const parsed = Target.parse(request);
        for (const one of [pod(), nameless, service, plain, gone]) expect(['yes', 'no', 'unknown']).toContain(parsed?.verdict('key', one) ?? 'yes');
      } catch (error) {
        expect(error).toBeInstanceOf(TargetError);
      }
    }));
  });
});

describe('-n', () => {
  it.each<[string, ContainerInfo, Verdict]>([
    ['a pod of it', pod(), 'yes'],
    ['its pause container', pod({ kind: 'sandbox', container: null }), 'yes'],
    ['a pod of another', pod({ namespace: 'kube-system' }), 'no'],
    ['a pod without names', nameless, 'unknown'],
    ['a service', service, 'no'],
    ['a container outside Kubernetes', plain, 'no'],
    ['what was gone too soon', gone, 'unknown'],
    ['a cgroup of nobody knows what', info({ kind: 'unknown', cgroup: '/jobs/7', container: '7' }), 'no'],
    ['a pod whose namespace was not told', pod({ namespace: null }), 'unknown'],
  ])('%s', (_, of, verdict) => expect(judge({ namespaces: ['shop', 'other'] }, of)).toBe(verdict));
});

describe('-l', () => {
  const labelled = (over: Partial<ContainerInfo> = {}): ContainerInfo => pod({ labels: { app: 'web', tier: 'front' }, ...over });

  it.each<[string, ContainerInfo, Verdict]>([
    ['app=web', labelled(), 'yes'],
    ['app=web,tier=back', labelled(), 'no'],
    ['!canary', labelled(), 'yes'],
    ['app=web', labelled({ labels: { app: 'api' } }), 'no'],
    // Names are known, but from a source that tells no labels.
    ['app=web', pod(), 'unknown'],
    ['!canary', pod(), 'unknown'],
    ['', pod(), 'yes'],
    // These tell labels, so there are none.
    ['!canary', pod({ nameSource: 'api' }), 'yes'],
    ['app=web', pod({ nameSource: 'logs', podStatus: STATUS }), 'no'],
    ['app=web', nameless, 'unknown'],
    ['app=web', plain, 'no'],
    ['', service, 'no'],
    ['app!=web', service, 'no'],
    ['!app', gone, 'unknown'],
  ])('%j', (selector, of, verdict) => expect(judge({ selectors: [selector] }, of)).toBe(verdict));

  it('given twice, takes either', () => {
    expect(judge({ selectors: ['app=api', 'tier=front'] }, labelled())).toBe('yes');
    expect(judge({ selectors: ['app=api', 'tier=back'] }, labelled())).toBe('no');
  });
});

describe('--pod', () => {
  it.each<[string, Verdict]>([
    ['web-1', 'yes'], ['shop/web-1', 'yes'], ['pod/web-1', 'yes'], ['pods/web-1', 'yes'], ['po/web-1', 'yes'], ['shop/pod/web-1', 'yes'], ['Pod/web-1', 'yes'],
    ['11111111', 'yes'], [UID, 'yes'],
    ['web', 'no'], ['app', 'no'], ['other/web-1', 'no'], ['other/pod/web-1', 'no'], ['1111', 'no'], ['pod/11111111', 'no'], ['shop/11111111', 'no'],
  ])('%s: %s', (wanted, verdict) => expect(judge({ pods: [wanted] }, pod())).toBe(verdict));

  it('waits for names, but not for those of what is in no pod', () => {
    for (const wanted of ['web-1', 'shop/web-1', 'deploy/web', '222222']) expect(judge({ pods: [wanted] }, nameless)).toBe('unknown');
    expect(judge({ pods: ['11111111'] }, nameless)).toBe('yes');
    for (const wanted of ['x.service', 'app', 'deploy/app']) for (const of of [service, plain]) expect(judge({ pods: [wanted] }, of)).toBe('no');
    expect(judge({ pods: ['web-1'] }, gone)).toBe('unknown');
    expect(judge({ pods: ['abcdef'] }, pod({ podUid: null }))).toBe('unknown');
    expect(judge({ pods: ['web-xy'] }, pod({ podUid: null }))).toBe('no');
  });

  it('tells a namespace from a type by the word, and by its place where that is not enough', () => {
    const inJob = pod({ namespace: 'job', pod: 'web' });
    expect(judge({ pods: ['job/web'] }, inJob)).not.toBe('yes');
    expect(judge({ pods: ['job/pod/web'] }, inJob)).toBe('yes');
  });
});

describe('-c', () => {
  it.each<[string, ContainerInfo, Verdict]>([
    ['app', pod(), 'yes'], ['shop/web-1/app', pod(), 'yes'], ['c0ffee0000', pod(), 'yes'], [pod().containerId ?? '', pod(), 'yes'], ['key', pod(), 'yes'], ['4990', pod(), 'yes'],
    ['/kubepods', pod(), 'yes'], ['/kubepods/burstable/podU/C', pod(), 'yes'], ['/', pod(), 'yes'],
    ['ap', pod(), 'no'], ['APP', pod(), 'no'], ['web-1', pod(), 'no'], ['c0ff', pod(), 'no'], ['499', pod(), 'no'], ['/kube', pod(), 'no'], ['/kubepods/burstable/podU/C/d', pod(), 'no'],
    ['17', info({ container: null, cgroup: null }), 'yes'],
    ['app', plain, 'yes'], ['x.service', service, 'yes'], ['app', service, 'no'],
    ['app', nameless, 'unknown'], ['/kubepods', nameless, 'yes'], ['/docker', nameless, 'no'], ['c0ffee', nameless, 'yes'],
    ['app', gone, 'unknown'], ['/kubepods', gone, 'unknown'],
  ])('%s', (wanted, of, verdict) => expect(judge({ containers: [wanted] }, of)).toBe(verdict));
});

describe('several flags', () => {
  it('must all hold', () => {
    const all = { namespaces: ['shop'], selectors: ['app'], containers: ['app'], pods: ['web-1'] };
    const known = pod({ labels: { app: 'web' } });
    expect(judge(all, known)).toBe('yes');
    expect(target(all).matches('key', known)).toBe(true);
    for (const other of [{ namespaces: ['x'] }, { selectors: ['!app'] }, { containers: ['x'] }, { pods: ['x'] }]) expect(judge({ ...all, ...other }, known)).toBe('no');
  });

  it('one certain no decides; without one, what is unknown does', () => {
    expect(judge({ namespaces: ['other'], selectors: ['app'] }, pod())).toBe('no');
    expect(judge({ namespaces: ['shop'], selectors: ['app'] }, pod())).toBe('unknown');
    expect(target({ namespaces: ['shop'], selectors: ['app'] }).matches('key', pod())).toBe(false);
  });
});
