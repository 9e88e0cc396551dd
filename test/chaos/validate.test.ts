import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalRules } from '../../src/chaos/rule.ts';
import { type RuleDraft, draftOf, validateRule } from '../../src/chaos/validate.ts';
import { anyDraft, anyRule, ruleOf } from './arbitrary.ts';

/** "path: message" of every mistake. */
function mistakes(draft: RuleDraft): string[] {
  const result = validateRule(draft);
  return result.ok ? [] : result.mistakes.map(({ path, message }) => `${path}: ${message}`);
}

const OK: RuleDraft = { syscalls: ['openat'], error: 'ENOSPC' };

describe('validateRule', () => {
  it('has defaults that end by themselves', () => {
    expect(ruleOf(OK)).toEqual({
      name: null, target: null, syscalls: ['openat'], effect: { kind: 'error', errno: 'ENOSPC' }, where: { path: null, port: null, fd: null, comm: null, uid: null },
      probability: 1, skip: 0, every: 1, last: null, maxHits: 100, durationMs: 60_000, seed: 0, backend: null, kernel: null,
    });
  });

  it('has one way to write a rule', () => {
    expect(ruleOf({ ...OK, syscalls: ['openat2', 'openat', 'openat2'] }).syscalls).toEqual(['openat', 'openat2']);
    expect(ruleOf({ ...OK, syscalls: ['openat', '%open', 'sockopt', 'connect'] }).syscalls).toEqual(['%open', '%sockopt', 'connect']);
    expect(ruleOf({ ...OK, error: 'ewouldblock' }).effect).toEqual({ kind: 'error', errno: 'EAGAIN' });
    expect(ruleOf({ syscalls: ['read'], signal: 'term' }).effect).toEqual({ kind: 'signal', signal: 'SIGTERM' });
    expect(ruleOf({ syscalls: ['read'], signal: '9' }).effect).toEqual({ kind: 'signal', signal: 'SIGKILL' });
    expect(ruleOf({ ...OK, target: { pod: 'shop/web-1', container: 'app' } }).target).toEqual({ kind: 'pod', namespace: 'shop', pod: 'web-1', container: 'app' });
    expect(ruleOf({ ...OK, target: { cgroup: '/a//b/' } }).target).toEqual({ kind: 'cgroup', path: '/a/b' });
    expect(ruleOf({ ...OK, target: { cgroup: '/' } }).target).toEqual({ kind: 'cgroup', path: '/' });
    expect(ruleOf({ ...OK, target: { containerId: 'containerd://0123456789ABCDEF' } }).target).toEqual({ kind: 'container', id: '0123456789abcdef' });
    expect(ruleOf({ syscalls: ['openat'], kernel: { fault: 'slab', function: 'ext4_create', argument: 3, string: 'hello' } })).toMatchObject({ effect: { kind: 'error', errno: 'ENOMEM' }, kernel: { when: { kind: 'string', argument: 3, equals: 'hello' } } });
    expect(ruleOf({ syscalls: ['fsync'], error: 'EIO', kernel: { fault: 'bio', function: 'submit_bio', pid: 7 } }).kernel?.when).toEqual({ kind: 'pid', pid: 7 });
  });

  it.each<[RuleDraft, string[]]>([
    [{}, ['syscalls: syscalls lacks a system call such as openat or a family such as %open', ': the rule lacks an effect: error, signal or delay']],
    [{ ...OK, syscalls: [] }, ['syscalls: syscalls lacks a system call such as openat or a family such as %open']],
    [{ ...OK, syscalls: ['opnat', 'read', '%opne'] }, ['syscalls[0]: there is no system call "opnat"; did you mean openat?', expect.stringMatching(/^syscalls\[2\]: there is no family "%opne"; did you mean open\?/) as string]],
    [{ ...OK, syscalls: Array.from({ length: 65 }, () => 'read') }, ['syscalls: 65 system calls are too many: 64 at most; a family such as %open counts once']],
    [{ ...OK, name: 'Not Good' }, ['name: "Not Good" cannot be a rule\'s name: up to 63 lower-case letters, digits and hyphens']],
    [{ ...OK, signal: 'SIGTERM' }, [': error, signal and delay exclude each other: one effect per rule; a second rule can have the other']],
    [{ ...OK, error: 'ENOSPCE' }, ['error: there is no errno "ENOSPCE"; did you mean ENOSPC?']],
    [{ ...OK, error: '28' }, ['error: "28" must be an errno\'s name, such as ENOSPC']],
    [{ ...OK, error: '-5' }, ['error: "-5" must be an errno\'s name, such as ENOSPC']],
    [{ ...OK, error: 'ERESTARTSYS' }, ['error: ERESTARTSYS is the kernel\'s own way to restart a call: programs never see it and cannot handle it']],
    [{ ...OK, error: 'erestart' }, ['error: erestart is the kernel\'s own way to restart a call: programs never see it and cannot handle it']],
    [{ ...OK, error: 'ehwpoison' }, []],
    [{ ...OK, error: 'ENOTSUPP' }, ['error: ENOTSUPP is used inside the kernel only: programs have no name for it']],
    [{ ...OK, error: '' }, ['error: there is no errno ""']],
    [{ syscalls: ['read'], signal: 'SIGTREM' }, [expect.stringMatching(/^signal: there is no signal "SIGTREM"; did you mean SIGTERM\?/) as string]],
    [{ syscalls: ['read'], signal: '64' }, [expect.stringMatching(/^signal: there is no signal "64"/) as string]],
    [{ syscalls: ['read'], delay: 0 }, ['delay: delay must be at least 1us']],
    [{ syscalls: ['read'], delay: 0.5 }, ['delay: delay must be at least 1us']],
    [{ syscalls: ['read'], delay: 5_000_001 }, ['delay: delay must be at most 5s: a longer one stalls a CPU until the kernel complains']],
    [{ ...OK, target: {} }, ['target: target lacks pod, cgroup or containerId']],
    [{ ...OK, target: { pod: 'a/b', cgroup: '/x' } }, ['target: pod, cgroup and containerId exclude each other: give one']],
    [{ ...OK, target: { container: 'app' } }, ['target.container: container is a name within a pod: give pod, too, or containerId alone']],
    [{ ...OK, target: { container: 'app', cgroup: '/x' } }, ['target.container: container is a name within a pod: give pod, too, or containerId alone']],
    [{ ...OK, target: { pod: 'web-1' } }, ['target.pod: "web-1" is not NAMESPACE/NAME']],
    [{ ...OK, target: { pod: 'a/b/c' } }, ['target.pod: "a/b/c" is not NAMESPACE/NAME']],
    [{ ...OK, target: { pod: 'Shop/web' } }, ['target.pod: "Shop" cannot be a namespace: up to 63 lower-case letters, digits and hyphens']],
    [{ ...OK, target: { pod: 'shop/web_1' } }, ['target.pod: "web_1" cannot be a pod\'s name: lower-case letters, digits, hyphens and dots']],
    [{ ...OK, target: { pod: 'shop/web', container: '../x' } }, ['target.container: "../x" cannot be a container\'s name: up to 63 lower-case letters, digits and hyphens']],
    [{ ...OK, target: { cgroup: 'a/b' } }, ['target.cgroup: "a/b" must begin with /: the path below the mount of cgroup v2']],
    [{ ...OK, target: { cgroup: '/a/../b' } }, ['target.cgroup: "/a/../b" must be a plain path, without . and ..']],
    [{ ...OK, target: { containerId: 'short' } }, ['target.containerId: "short" is not a container id: 12 to 64 hexadecimal digits']],
    [{ ...OK, where: { path: '' } }, ['where.path: an empty pattern matches no path']],
    [{ ...OK, where: { path: '[a]' } }, ['where.path: classes such as [a-z] are not known here; write \\[ for the character']],
    [{ ...OK, syscalls: ['getpid', 'openat', 'fsync'], where: { path: 'x' } }, ['where.path: fsync, getpid have no path to look at']],
    [{ ...OK, where: { port: 80 } }, ['where.port: openat has no address to look at']],
    [{ syscalls: ['connect'], error: 'EPERM', where: { port: 65_536 } }, ['where.port: port must be 0 to 65535, not 65536']],
    [{ ...OK, where: { fd: 3 } }, ['where.fd: openat has no descriptor to look at']],
    [{ syscalls: ['read'], error: 'EIO', where: { fd: -1, uid: -1 } }, ['where.fd: fd must be 0 to 2147483647, not -1', 'where.uid: uid must be 0 to 4294967294, not -1']],
    [{ ...OK, where: { comm: '' } }, ['where.comm: comm must be the name of a thread']],
    [{ ...OK, where: { comm: 'a-name-that-is-too-long' } }, ['where.comm: "a-name-that-is-too-long" is 23 bytes long, but the kernel keeps 15 of a thread\'s name: "a-name-that-is-"?']],
    [{ ...OK, probability: 0 }, ['probability: probability 0 would never hit']],
    [{ ...OK, probability: 1.5 }, ['probability: probability must be 0.000001 to 1, not 1.5']],
    [{ ...OK, probability: -1 }, ['probability: probability must be 0.000001 to 1, not -1']],
    [{ ...OK, probability: Number.NaN }, ['probability: probability must be 0.000001 to 1, not NaN']],
    [{ ...OK, skip: -1, every: 0, last: 0, maxHits: 0, seed: -1 }, ['skip: skip must be 0 to 4294967295, not -1', 'every: every must be 1 to 4294967295, not 0', 'last: last must be 1 to 4294967295, not 0', 'maxHits: maxHits must be 1 to 4294967295, not 0', 'seed: seed must be 0 to 9007199254740991, not -1']],
    [{ ...OK, skip: 1.5 }, ['skip: skip must be a whole number']],
    [{ ...OK, skip: 5, last: 5 }, ['last: last 5 is among the 5 that are skipped: nothing would be hit']],
    [{ ...OK, duration: 99 }, ['duration: duration must be 100ms to 15m, not 99ms']],
    [{ ...OK, duration: 900_001 }, ['duration: duration must be 100ms to 15m, not 900.001s']],
    [{ ...OK, duration: 0.5 }, ['duration: duration must be whole milliseconds']],
    [{ ...OK, backend: 'fmodret' }, [expect.stringMatching(/^backend: there is no backend "fmodret"; did you mean fmod_ret\?/) as string]],
    [{ ...OK, backend: 'delay' }, ['backend: backend delay gives delays only']],
    [{ syscalls: ['read'], signal: 'SIGTERM', backend: 'lsm' }, ['backend: backend lsm gives errors only']],
    [{ ...OK, kernel: {} }, ['kernel: kernel lacks fault: slab, page, bio', 'kernel: kernel lacks function: the kernel function that must be on the call chain']],
    [{ syscalls: ['openat'], kernel: { fault: 'slub', function: 'x' } }, ['kernel.fault: there is no kernel fault "slub"; did you mean slab? (kernel faults are slab, page, bio)']],
    [{ ...OK, kernel: { fault: 'slab', function: 'x' } }, ['error: a slab fault gives ENOMEM and nothing else']],
    [{ syscalls: ['openat'], delay: 5, kernel: { fault: 'bio', function: 'x' } }, ['delay: a bio fault gives EIO and nothing else']],
    [{ syscalls: ['openat'], kernel: { fault: 'slab', function: 'a b' } }, ['kernel.function: "a b" is not the name of a kernel function']],
    [{ syscalls: ['openat'], kernel: { fault: 'slab', function: 'x', argument: 6, string: 'y' } }, ['kernel.argument: argument must be 1 to 5, not 6']],
    [{ syscalls: ['openat'], kernel: { fault: 'slab', function: 'x', argument: 2 } }, ['kernel.argument: argument needs string: what it must be equal to']],
    [{ syscalls: ['openat'], kernel: { fault: 'slab', function: 'x', string: 'y' } }, ['kernel.string: string needs argument: the number of the function\'s argument, 1 is the first']],
    [{ syscalls: ['openat'], kernel: { fault: 'slab', function: 'x', string: 'y', argument: 1, pid: 3 } }, ['kernel: string and pid exclude each other: give one']],
    [{ syscalls: ['openat'], kernel: { fault: 'slab', function: 'x', string: 'y'.repeat(64), argument: 1 } }, ['kernel.string: string must be 1 to 63 bytes long']],
    [{ syscalls: ['openat'], backend: 'lsm', kernel: { fault: 'slab', function: 'x' } }, ['backend: kernel faults are made by backend fmod_ret or kprobe']],
  ])('%j', (draft, expected) => expect(mistakes(draft)).toEqual(expected));

  it('tells all mistakes at once', () => {
    expect(mistakes({ name: '-', target: { pod: 'x' }, syscalls: ['nope'], error: 'NOPE', where: { comm: '' }, probability: 2, every: 0, duration: 1, backend: 'x', kernel: { fault: 'y' } }).map((text) => text.slice(0, text.indexOf(':')))).toEqual([
      'name', 'target.pod', 'syscalls[0]', 'error', 'where.comm', 'probability', 'every', 'duration', 'backend', 'kernel.fault', 'kernel',
    ]);
  });

  it('accepts whatever is right, and gives a draft of it back that makes the same rule', () => {
    fc.assert(fc.property(anyDraft, (draft) => {
      const rule = ruleOf(draft);
      const again = ruleOf(draftOf(rule));
      expect(again).toEqual(rule);
      expect(equalRules(again, rule)).toBe(true);
    }));
  });

  it('never throws, whatever the numbers and texts', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '%', 'ENOSPC'));
    const number = fc.oneof(fc.double(), fc.integer());
    fc.assert(fc.property(fc.record({
      name: text, target: fc.record({ pod: text, container: text, cgroup: text, containerId: text }, { requiredKeys: [] }), syscalls: fc.array(text), error: text, signal: text, delay: number,
      where: fc.record({ path: text, port: number, fd: number, comm: text, uid: number }, { requiredKeys: [] }), probability: number, skip: number, every: number, last: number, maxHits: number, duration: number, seed: number, backend: text,
      kernel: fc.record({ fault: text, function: text, argument: number, string: text, pid: number }, { requiredKeys: [] }),
    }, { requiredKeys: [] }), (draft) => {
      for (const mistake of mistakes(draft)) expect(mistake.length).toBeGreaterThan(2);
    }), { numRuns: 500 });
  });
});

it('equalRules tells rules apart', () => {
  fc.assert(fc.property(anyRule, (rule) => {
    expect(equalRules(rule, { ...rule, maxHits: rule.maxHits + 1 })).toBe(false);
    expect(equalRules(rule, structuredClone(rule))).toBe(true);
  }));
});
