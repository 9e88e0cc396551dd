import { describe, expect, it } from 'vitest';
import { type Seen, notFound } from '../../src/cli/not-found.ts';
import type { ContainerInfo } from '../../src/frame/frame.ts';
import { Target, type TargetRequest } from '../../src/frame/target.ts';
import { info } from '../output/frames.ts';

const pod = (over: Partial<ContainerInfo>): ContainerInfo => info({ kind: 'pod', podUid: 'u', container: 'app', nameSource: 'api', cgroup: '/kubepods/x', ...over });

const CONTAINERS = {
  web: pod({ namespace: 'shop', pod: 'web-9d6c486f5-g6wg4', labels: { app: 'web', 'pod-template-hash': '9d6c486f5' }, owner: { kind: 'Deployment', name: 'web' } }),
  web2: pod({ namespace: 'shop', pod: 'web-9d6c486f5-kfwc2', labels: { app: 'web', 'pod-template-hash': '9d6c486f5' }, owner: { kind: 'Deployment', name: 'web' } }),
  dns: pod({ namespace: 'kube-system', pod: 'coredns-0', container: 'coredns', labels: { 'k8s-app': 'kube-dns' }, owner: { kind: 'StatefulSet', name: 'coredns' } }),
  service: info(),
};

function said(request: TargetRequest, seen: Partial<Seen> = {}): string {
  const target = Target.parse(request);
  if (target === null) throw new Error('nothing was asked for');
  return notFound(target, { containers: CONTAINERS, sources: [], ...seen });
}

describe('notFound', () => {
  it.each<[TargetRequest, string]>([
    [{ namespaces: ['shpo'] }, '-n shpo; did you mean shop?'],
    [{ namespaces: ['production'] }, '-n production; namespaces here are kube-system, shop'],
    [{ containers: ['coredn'] }, '-c coredn; did you mean coredns?'],
    [{ containers: ['no-such-container'] }, '-c no-such-container; containers here are app, coredns, x.service'],
    [{ pods: ['web-9d6c486f5'] }, '--pod web-9d6c486f5; did you mean shop/web-9d6c486f5-g6wg4 or shop/web-9d6c486f5-kfwc2?'],
    // The workload's own name is the likeliest.
    [{ pods: ['web'] }, '--pod web; did you mean deploy/web, shop/web-9d6c486f5-g6wg4 or shop/web-9d6c486f5-kfwc2?'],
    [{ pods: ['shop/web'] }, '--pod shop/web; did you mean shop/deploy/web, shop/web-9d6c486f5-g6wg4 or shop/web-9d6c486f5-kfwc2?'],
    [{ pods: ['sts/web'] }, '--pod sts/web; did you mean deploy/web?'],
    [{ pods: ['deploy/wbe'] }, '--pod deploy/wbe; did you mean deploy/web?'],
    [{ pods: ['deploy/coredns-0'] }, '--pod deploy/coredns-0; did you mean kube-system/coredns-0 or sts/coredns?'],
    [{ pods: ['svc/web'] }, '--pod svc/web; namespaces here are kube-system/..., shop/...'],
    [{ selectors: ['app=wbe'] }, '-l app=wbe; did you mean app=web?'],
    [{ selectors: ['app=frontend'] }, '-l app=frontend; labels here are app=web'],
    [{ selectors: ['ap=web'] }, '-l ap=web; did you mean app?'],
    [{ selectors: ['app=web,k8s-ap'] }, '-l app=web,k8s-ap; did you mean k8s-app?'],
    [{ selectors: ['app=web,!app'] }, '-l \'app=web,!app\''],
    [{ namespaces: ['shpo'], pods: ['coredns'] }, '-n shpo nor --pod coredns; did you mean shop?; did you mean sts/coredns or kube-system/coredns-0?'],
    // The second flag finds something: it is not to blame.
    [{ namespaces: ['shpo'], containers: ['app'] }, '-n shpo; did you mean shop?'],
    [{ namespaces: ['shop'], containers: ['coredns'] }, '-n shop -c coredns together'],
  ])('%j', (request, text) => expect(said(request)).toBe(text));

  it('tells at most five, and a few when none is near', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [String(i), pod({ namespace: `team-${i}`, pod: `web-${i}` })]));
    expect(said({ pods: ['web'] }, { containers: many })).toBe('--pod web; did you mean team-0/web-0, team-1/web-1, team-2/web-2, team-3/web-3 or team-4/web-4?');
    expect(said({ pods: ['database'] }, { containers: many })).toBe('--pod database');
    // The same name in many namespaces.
    const same = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [String(i), pod({ namespace: `team-${i}`, pod: 'web' })]));
    expect(said({ pods: ['wbe'] }, { containers: same }).split(', ')).toHaveLength(4);
  });

  it('says when names are missing, with the reason that is there', () => {
    const nameless = pod({ container: null, nameSource: 'cgroup', unresolved: 'pod and container names: cri: no socket in /run' });
    const containers = { ...CONTAINERS, a: nameless, b: nameless };
    expect(said({ namespaces: ['prod'] }, { containers })).toContain('; 2 containers without names may be meant (pod and container names: cri: no socket in /run); see kbtop doctor');
    expect(said({ namespaces: ['prod'] }, { containers: { a: pod({ pod: 'web-1' }) } })).toContain('; namespaces of 1 container are not known; see kbtop doctor');
    // Their cgroup is known, and it is another.
    expect(said({ containers: ['/other'] }, { containers })).not.toContain('may be meant');
  });

  it('says when labels are missing, and what came of those who know them', () => {
    const named = { a: pod({ namespace: 'shop', pod: 'web-9d6c486f5-g6wg4', nameSource: 'logs' }) };
    expect(said({ selectors: ['app=web'] }, { containers: named })).toBe('-l app=web; labels of 1 container are not known (no runtime socket, no API and no kubelet was asked); see kbtop doctor');
    const sources: Seen['sources'] = [
      { id: 'logs', state: { status: 'ok', reason: '9 logs', fix: null } }, { id: 'cri', state: { status: 'absent', reason: 'no socket', fix: null } },
      { id: 'api', state: { status: 'starting', reason: '', fix: null } }, { id: 'kubelet', state: { status: 'off', reason: 'not asked for', fix: null } },
    ];
    expect(said({ selectors: ['app=web'] }, { containers: named, sources })).toBe('-l app=web; labels of 1 container are not known (cri: no socket; api: not answered yet); see kbtop doctor');
    expect(said({ pods: ['deploy/web'] }, { containers: named, sources })).toContain('; labels and owners of 1 container are not known (cri: no socket');
  });

  it('has nothing to add on an empty node', () => expect(said({ namespaces: ['shop'], pods: ['a'] }, { containers: {} })).toBe('-n shop nor --pod a'));
});
