import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainRule } from '../../src/chaos/explain.ts';
import { anyRule, ruleOf } from './arbitrary.ts';

describe('explainRule', () => {
  it.each<[Parameters<typeof ruleOf>[0], string]>([
    [{ syscalls: ['openat'], error: 'ENOSPC', target: { pod: 'shop/web-1', container: 'app' }, every: 2, skip: 2, duration: 30_000 }, 'For 30 s, every 2nd openat of container app in pod shop/web-1 after the first 2 fails with ENOSPC (the disk is full), at most 100 times; ends by itself.'],
    [{ syscalls: ['%open'], error: 'ENOMEM', target: { pod: 'shop/web-1' }, where: { path: 'hello' }, maxHits: 1 }, 'For 1 min, every %open call (open, openat, openat2 or creat) of pod shop/web-1 on files called hello fails with ENOMEM (out of memory), at most once; ends by itself.'],
    [{ syscalls: ['%stat'], error: 'EIO' }, 'For 1 min, every %stat call (stat, lstat, fstat, newfstatat, statx and 7 more) fails with EIO (the device failed), at most 100 times; ends by itself.'],
    [{ syscalls: ['write', 'read', 'fsync'], delay: 5000, probability: 0.25, duration: 900_000 }, 'For 15 min, every fsync, read or write, with a chance of 25 %, starts 5 ms late, at most 100 times; ends by itself.'],
    [{ syscalls: ['connect'], signal: 'TERM', where: { port: 443, comm: 'curl', uid: 1000 }, target: { cgroup: '/a/b' }, duration: 500 }, 'For 500 ms, every connect of cgroup /a/b with port 443 by threads called curl by user id 1000 brings its caller SIGTERM, at most 100 times; ends by itself.'],
    [{ syscalls: ['read'], error: 'EIO', where: { fd: 3 }, skip: 2, last: 3, target: { containerId: '0123456789abcdef' } }, 'For 1 min, the 3rd read of container 0123456789ab on descriptor 3 fails with EIO (the device failed), at most 100 times; ends by itself.'],
    [{ syscalls: ['read'], error: 'EIO', skip: 2, last: 111, every: 3 }, 'For 1 min, every 3rd read after the first 2 and up to the 111th fails with EIO (the device failed), at most 100 times; ends by itself.'],
    [{ syscalls: ['openat'], error: 'EHWPOISON', where: { path: '/data/*' } }, 'For 1 min, every openat on path /data/* fails with EHWPOISON, at most 100 times; ends by itself.'],
    [{ syscalls: ['openat'], kernel: { fault: 'slab', function: 'ext4_create', argument: 3, string: 'hello' } }, 'For 1 min, every openat has its small allocations fail (should_failslab) while the kernel runs ext4_create with argument 3 "hello", at most 100 times; ends by itself.'],
    [{ syscalls: ['fsync'], kernel: { fault: 'bio', function: 'submit_bio', pid: 7 } }, 'For 1 min, every fsync has its block I/O fail (should_fail_bio) while the kernel runs submit_bio for process 7, at most 100 times; ends by itself.'],
  ])('%j', (draft, text) => expect(explainRule(ruleOf(draft))).toBe(text));

  it('says that a dry run hits nothing', () => {
    expect(explainRule(ruleOf({ syscalls: ['read'], error: 'EIO' }), true)).toMatch(/^Dry run, calls are counted and nothing happens to them: For 1 min, every read /);
  });

  it('is one sentence with every number of the rule', () => {
    fc.assert(fc.property(anyRule, (rule) => {
      const text = explainRule(rule);
      expect(text).toMatch(/^For [^]*; ends by itself\.$/);
      if (rule.maxHits > 1) expect(text).toContain(`at most ${rule.maxHits} times`);
      if (rule.skip > 0 && rule.last !== rule.skip + 1) expect(text).toContain(`after the first ${rule.skip}`);
      if (rule.effect.kind === 'error' && rule.kernel === null) expect(text).toContain(rule.effect.errno);
      if (rule.where.comm !== null) expect(text).toContain(rule.where.comm);
    }));
  });
});
