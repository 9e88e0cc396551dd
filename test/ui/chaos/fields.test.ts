import { describe, expect, it } from 'vitest';
import { emptyForm, type Form, ruleOfForm, shownFields } from '../../../src/ui/chaos/fields.ts';
import { targetDraft, targetKeys, targetsIn, targetTextOf } from '../../../src/ui/chaos/target.ts';
import { FakeNode } from '../fixtures.ts';

const form = (more: Partial<Form> = {}): Form => emptyForm({ target: 'shop/web-1/app', call: 'openat', error: 'ENOSPC', ...more });
const rule = (more: Partial<Form> = {}) => {
  const read = ruleOfForm(form(more));
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  return read.value;
};
const mistakes = (more: Partial<Form>) => {
  const read = ruleOfForm(form(more));
  return read.ok ? [] : read.mistakes.map(({ field, message }) => `${field}: ${message}`);
};

describe('the form', () => {
  it('makes the rule that it says', () => {
    expect(rule({ chance: '10%', skip: '5', every: '2', hits: '7', for: '1m30s', path: '*.db', comm: 'nginx' })).toMatchObject({
      target: { kind: 'pod', namespace: 'shop', pod: 'web-1', container: 'app' }, syscalls: ['openat'], effect: { kind: 'error', errno: 'ENOSPC' },
      probability: 0.1, skip: 5, every: 2, maxHits: 7, durationMs: 90_000, where: { path: '*.db', comm: 'nginx', port: null },
    });
    expect(rule({ fault: 'delay', delay: '1.5ms' }).effect).toEqual({ kind: 'delay', us: 1500 });
    expect(rule({ fault: 'signal', signal: 'term' }).effect).toEqual({ kind: 'signal', signal: 'SIGTERM' });
    expect(rule({ call: 'connect', error: 'ECONNREFUSED', port: '5432' }).where.port).toBe(5432);
    expect(rule({ call: 'openat, %read' }).syscalls).toEqual(['%read', 'openat']);
  });

  it('reads every chance exactly, and empty fields as their defaults', () => {
    expect(rule({ chance: '0.1%' }).probability).toBe(0.001);
    expect(rule({ chance: '0.25' }).probability).toBe(0.25);
    expect(rule({ chance: '', skip: '', every: '', hits: '', for: '' })).toMatchObject({ probability: 1, skip: 0, every: 1, maxHits: 100, durationMs: 60_000 });
  });

  it('tells what is wrong, at the field that it is about', () => {
    expect(mistakes({ target: '' })).toEqual(['target: say whom: NAMESPACE/POD, a path of cgroup v2, or a container id']);
    expect(mistakes({ target: 'web-1' })).toEqual(['target: "web-1" is not NAMESPACE/NAME']);
    expect(mistakes({ call: '' })).toEqual(['call: say which: a system call such as openat or a family such as %open']);
    expect(mistakes({ call: 'opennat' })[0]).toMatch(/^call: there is no system call "opennat"; did you mean/);
    expect(mistakes({ error: 'ENOSPACE' })).toEqual(['error: there is no errno "ENOSPACE"; did you mean ENOSPC?']);
    expect(mistakes({ fault: 'explode' })).toEqual(['fault: "explode" is no fault: error, delay or signal']);
    expect(mistakes({ fault: 'delay', delay: '5' })).toEqual(['delay: "5" lacks a unit: 5ms or 5us?']);
    expect(mistakes({ fault: 'signal', signal: 'SIGNOPE' })[0]).toMatch(/^signal: there is no signal/);
    expect(mistakes({ chance: 'often', skip: '-1', hits: '0', for: '1h' }).map((text) => text.split(':', 1)[0])).toEqual(['chance', 'skip', 'hits', 'for']);
    expect(mistakes({ chance: '110%' })).toEqual(['chance: 110% is more than all: 100% at most']);
    expect(mistakes({ call: 'close', path: '/x' })).toEqual(['path: close has no path to look at']);
    expect(mistakes({ call: 'connect', error: 'EIO', port: '70000' })[0]).toMatch(/^port: port must be 0 to 65535/);
    expect(mistakes({ comm: 'a-name-that-is-too-long' })[0]).toMatch(/^comm: /);
  });

  it('shows fields that the call has something for, and those that hold something', () => {
    expect(shownFields(form())).toEqual(['target', 'call', 'fault', 'error', 'chance', 'skip', 'every', 'hits', 'for', 'path', 'comm']);
    expect(shownFields(form({ call: 'connect', fault: 'delay' }))).toEqual(expect.arrayContaining(['delay', 'port']));
    expect(shownFields(form({ call: 'close' }))).not.toContain('path');
    expect(shownFields(form({ call: 'close', path: '/x' }))).toContain('path');
  });
});

describe('targets', () => {
  it('are read as what they look like', () => {
    expect(targetDraft('a/b/c')).toEqual({ pod: 'a/b', container: 'c' });
    expect(targetDraft('a/b')).toEqual({ pod: 'a/b' });
    expect(targetDraft('/x.slice/y')).toEqual({ cgroup: '/x.slice/y' });
    expect(targetDraft('0123456789ab')).toEqual({ containerId: '0123456789ab' });
    expect(targetDraft('containerd://0123456789ab')).toEqual({ containerId: 'containerd://0123456789ab' });
    expect(targetDraft(' ')).toBeUndefined();
  });

  it('of a Frame can all be read again, and are found in it', () => {
    const frame = new FakeNode().next();
    const all = targetsIn(frame);
    expect(all.length).toBeGreaterThan(10);
    for (const text of all) {
      const read = ruleOfForm(emptyForm({ target: text, call: 'read', error: 'EIO' }));
      expect(read.ok && targetKeys(frame, read.value.target).size).toBeGreaterThan(0);
    }
    expect(all).toContain('shop/web-5d9f6c7b8-iz6xk');
    expect(all).toContain('shop/web-5d9f6c7b8-iz6xk/nginx');
  });

  it('are none where a row stands for more than a pod', () => {
    const info = Object.values(new FakeNode().next().containers).find(({ pod }) => pod === 'web-5d9f6c7b8-iz6xk')!;
    expect(targetTextOf(info, 'container')).toBe('shop/web-5d9f6c7b8-iz6xk/nginx');
    expect(targetTextOf(info, 'pod')).toBe('shop/web-5d9f6c7b8-iz6xk');
    expect(targetTextOf(info, 'workload')).toBe('');
    expect(targetTextOf(info, 'namespace')).toBe('');
    expect(targetTextOf({ ...info, pod: null, namespace: null, podUid: null, owner: null }, 'container')).toBe(info.containerId!.slice(0, 12));
  });
});
