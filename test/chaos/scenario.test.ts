import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RULES, type Scenario, parseScenario, scenarioError } from '../../src/chaos/scenario.ts';
import { formatScenario } from '../../src/chaos/scenario-write.ts';
import { anyRule, ruleOf } from './arbitrary.ts';

async function read(text: string): Promise<Scenario> {
  const result = await parseScenario(text);
  if (!result.ok) throw new Error(scenarioError('s.yaml', result.mistakes));
  return result.value;
}

/** "line:column: message" of each mistake. */
async function mistakes(text: string): Promise<string[]> {
  const result = await parseScenario(text);
  return result.ok ? [] : result.mistakes.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

const HEAD = 'version: 1\nname: a\nrules:\n';
/** A scenario of one rule; the first of these lines is line 4, its first key is at column 5. */
const one = (...lines: string[]): string => `${HEAD}${lines.map((line, i) => `  ${i === 0 ? '- ' : '  '}${line}\n`).join('')}`;

describe('parseScenario', () => {
  it('reads every key', async () => {
    const scenario = await read(`${HEAD}  - name: no-space
    target: {pod: shop/web-1, container: app}
    syscalls: ["%open", write]
    error: ENOSPC
    where: {comm: nginx, uid: 1000}
    probability: 0.5
    skip: 2
    every: 2
    last: 100
    maxHits: 10
    duration: 1m30s
    seed: 7
    backend: fmod_ret
  - {target: {cgroup: /a/b}, syscalls: [fsync], delay: 5ms}
  - {target: {containerId: 0123456789ab}, syscalls: [openat], kernel: {fault: slab, function: ext4_create, argument: 3, string: hello}}
  - {syscalls: [connect], signal: SIGTERM, where: {port: 80, fd: 3}}
use: first
description: |
  What you will see.
`);
    expect(scenario).toMatchObject({ name: 'a', description: 'What you will see.', use: 'first' });
    expect(scenario.rules).toEqual([
      ruleOf({ name: 'no-space', target: { pod: 'shop/web-1', container: 'app' }, syscalls: ['%open', 'write'], error: 'ENOSPC', where: { comm: 'nginx', uid: 1000 }, probability: 0.5, skip: 2, every: 2, last: 100, maxHits: 10, duration: 90_000, seed: 7, backend: 'fmod_ret' }),
      ruleOf({ target: { cgroup: '/a/b' }, syscalls: ['fsync'], delay: 5000 }),
      ruleOf({ target: { containerId: '0123456789ab' }, syscalls: ['openat'], kernel: { fault: 'slab', function: 'ext4_create', argument: 3, string: 'hello' } }),
      ruleOf({ syscalls: ['connect'], signal: 'SIGTERM', where: { port: 80, fd: 3 } }),
    ]);
  });

  it('reads JSON, aliases and names that look like numbers', async () => {
    expect((await read('{"version": 1, "name": "1", "rules": [{"syscalls": ["openat"], "error": "EIO"}]}')).name).toBe('1');
    const aliased = await read(`${HEAD}  - {target: &web {pod: shop/web-1}, syscalls: [openat], error: EIO}\n  - {target: *web, syscalls: [read], error: EIO}\n`);
    expect(aliased.rules[1]?.target).toEqual({ kind: 'pod', namespace: 'shop', pod: 'web-1', container: null });
    expect((await read(one('syscalls: [openat]', 'error: EIO', 'where: {comm: 12}'))).rules[0]?.where.comm).toBe('12');
    expect((await read(one('{target: {containerId: 012345678901}, syscalls: [openat], error: EIO}'))).rules[0]?.target).toEqual({ kind: 'container', id: '012345678901' });
  });

  it.each<[string, ...string[]]>([
    ['', '1:1: a scenario must be a mapping of keys to values'],
    ['- a\n', '1:1: a scenario must be a mapping of keys to values'],
    ['name: a\n', '1:1: the scenario lacks version', '1:1: the scenario lacks rules'],
    ['version: 2\nname: a\nrules: []\n', '1:10: version must be 1: a newer kbtop may read this file', '3:8: rules lacks a rule'],
    ['version: one\nname: a\nrules: 3\n', '1:10: version must be a number', '3:8: rules must be a list'],
    ['version: 1\nname: Not Good\nrules:\n', '2:7: "Not Good" cannot be a scenario\'s name: up to 63 lower-case letters, digits and hyphens', '3:7: rules must be a list'],
    [`nmae: b\n${one('{syscalls: [openat], error: EIO}')}`, '1:1: unknown key "nmae" in a scenario; did you mean name? (keys are version, name, description, use, rules)'],
    [`constructor: b\n${one('{syscalls: [openat], error: EIO}')}`, '1:1: unknown key "constructor" in a scenario; keys are version, name, description, use, rules'],
    [`use: some\n${one('{syscalls: [openat], error: EIO}')}`, '1:6: use must be all or first'],
    [`description: [1]\n${one('{syscalls: [openat], error: EIO}')}`, '1:14: description must be text'],
    [`description: "${'x'.repeat(5000)}"\n${one('{syscalls: [openat], error: EIO}')}`, '1:14: description is longer than 4096 characters'],
    [`${HEAD}  - openat\n`, '4:5: a rule must be a mapping of keys to values'],
    [`${HEAD}  -\n`, expect.stringMatching(/^4:\d+: a rule must be a mapping/) as string],
    [one('syscals: [openat]', 'error: EIO'), expect.stringMatching(/^4:5: unknown key "syscals" in a rule; did you mean syscalls\?/) as string],
    [one('? [a]', ': 1', 'syscalls: [openat]', 'error: EIO'), expect.stringMatching(/^4:7: a key of a rule must be a word/) as string],
    [one('syscalls: openat', 'error: EIO'), '4:15: syscalls must be a list'],
    [one('syscalls: []', 'error: EIO'), '4:15: syscalls lacks a system call such as openat or a family such as %open'],
    [one('syscalls: [openat, opnat, [read]]', 'error: EIO'), '4:31: a system call must be text'],
    [one('syscalls: [openat, opnat]', 'error: EIO'), '4:24: there is no system call "opnat"; did you mean openat?'],
    [one('syscalls:', '  - openat', '  - "%opne"', 'error: EIO'), expect.stringMatching(/^6:9: there is no family "%opne"; did you mean open\?/) as string],
    [one('syscalls: [openat]'), '4:5: the rule lacks an effect: error, signal or delay'],
    [one('syscalls: [openat]', 'error: EIO', 'signal: SIGTERM'), '4:5: error, signal and delay exclude each other: one effect per rule; a second rule can have the other'],
    [one('syscalls: [openat]', 'error: ENOSPCE'), '5:12: there is no errno "ENOSPCE"; did you mean ENOSPC?'],
    [one('syscalls: [openat]', 'error: 28'), '5:12: "28" must be an errno\'s name, such as ENOSPC'],
    [one('syscalls: [openat]', 'error: ERESTARTSYS'), expect.stringMatching(/^5:12: ERESTARTSYS is the kernel's own way/) as string],
    [one('syscalls: [openat]', 'error: [EIO]'), '5:12: error must be a name'],
    [one('syscalls: [openat]', 'error:'), '5:11: error must be a name'],
    [one('syscalls: [openat]', 'error: true'), '5:12: error must be a name'],
    [one('syscalls: [openat]', 'signal: SIGTREM'), expect.stringMatching(/^5:13: there is no signal "SIGTREM"; did you mean SIGTERM\?/) as string],
    [one('syscalls: [openat]', 'delay: 5'), '5:12: delay "5" lacks a unit: 5ms or 5us?'],
    [one('syscalls: [openat]', 'delay: 5 days'), '5:12: delay "5 days" is not a delay such as 250us, 5ms or 1.5s'],
    [one('syscalls: [openat]', 'delay: 10s'), '5:12: delay must be at most 5s: a longer one stalls a CPU until the kernel complains'],
    [one('syscalls: [openat]', 'error: EIO', 'duration: 30'), '6:15: duration "30" lacks a unit: 30s or 30ms?'],
    [one('syscalls: [openat]', 'error: EIO', 'duration: 1h'), '6:15: duration "1h" is too long: 15m at most'],
    [one('syscalls: [openat]', 'error: EIO', 'duration: 1ms'), '6:15: duration "1ms" is too short: 100ms at least'],
    [one('syscalls: [openat]', 'error: EIO', 'probability: half'), '6:18: probability must be a number'],
    [one('syscalls: [openat]', 'error: EIO', 'probability: 2'), '6:18: probability must be 0.000001 to 1, not 2'],
    [one('syscalls: [openat]', 'error: EIO', 'probability: .inf'), '6:18: probability must be a number'],
    [one('syscalls: [openat]', 'error: EIO', 'skip: 1.5'), '6:11: skip must be a whole number'],
    [one('syscalls: [openat]', 'error: EIO', 'every: "2"'), '6:12: every must be a number'],
    [one('syscalls: [openat]', 'error: EIO', 'skip: 5', 'last: 3'), '7:11: last 3 is among the 5 that are skipped: nothing would be hit'],
    [one('syscalls: [openat]', 'error: EIO', 'maxHits: 0'), '6:14: maxHits must be 1 to 4294967295, not 0'],
    [one('syscalls: [openat]', 'error: EIO', 'seed: -1'), '6:11: seed must be 0 to 9007199254740991, not -1'],
    [one('syscalls: [openat]', 'error: EIO', 'backend: kpobe'), expect.stringMatching(/^6:14: there is no backend "kpobe"; did you mean kprobe\?/) as string],
    [one('syscalls: [openat]', 'error: EIO', 'backend: signal'), '6:14: backend signal gives signals only'],
    [one('syscalls: [openat]', 'error: EIO', 'target: shop/web'), '6:13: target must be a mapping of keys to values'],
    [one('syscalls: [openat]', 'error: EIO', 'target: {}'), '6:13: target lacks pod, cgroup or containerId'],
    [one('syscalls: [openat]', 'error: EIO', 'target: {pod: web}'), '6:19: "web" is not NAMESPACE/NAME'],
    [one('syscalls: [openat]', 'error: EIO', 'target: {pdo: a/web}'), expect.stringMatching(/^6:14: unknown key "pdo" in target; did you mean pod\?/) as string],
    [one('syscalls: [openat]', 'error: EIO', 'target:', '  pod: a/b', '  container: C'), '8:18: "C" cannot be a container\'s name: up to 63 lower-case letters, digits and hyphens'],
    [one('syscalls: [openat]', 'error: EIO', 'where: {path: "["}'), '6:19: classes such as [a-z] are not known here; write \\[ for the character'],
    [one('syscalls: [openat]', 'error: EIO', 'where: {port: http}'), '6:19: port must be a number'],
    [one('syscalls: [openat]', 'error: EIO', 'where: {port: 80}'), '6:19: openat has no address to look at'],
    [one('syscalls: [openat]', 'error: EIO', 'where: [path]'), '6:12: where must be a mapping of keys to values'],
    [one('syscalls: [openat]', 'kernel: {fault: slub, function: x}'), expect.stringMatching(/^5:21: there is no kernel fault "slub"; did you mean slab\?/) as string],
    [one('syscalls: [openat]', 'kernel: {fault: slab}'), '5:13: kernel lacks function: the kernel function that must be on the call chain'],
    [one('syscalls: [openat]', 'error: EIO', 'kernel: {fault: slab, function: x}'), '5:12: a slab fault gives ENOMEM and nothing else'],
    [one('syscalls: [opnat]', 'error: EIOO', 'every: 0', 'duration: 3', 'foo: 1'), '4:16: there is no system call "opnat"; did you mean openat?', '5:12: there is no errno "EIOO"; did you mean EIO?', '6:12: every must be 1 to 4294967295, not 0', '7:15: duration "3" lacks a unit: 3s or 3ms?', expect.stringMatching(/^8:5: unknown key "foo" in a rule; keys are name, target/) as string],
    [`${HEAD}  - {name: x, syscalls: [openat], error: EIO}\n  - {name: x, syscalls: [read], error: EIO}\n`, '5:5: two rules are called x'],
    [`${HEAD}${'  - {syscalls: [openat], error: EIO}\n'.repeat(MAX_RULES + 1)}`, `${4 + MAX_RULES}:5: 33 rules are too many: 32 at most`],
    ['version: 1\nversion: 1\n', '2:1: Map keys must be unique'],
    ['rules: [', expect.stringMatching(/^1:\d+: /) as string],
    ['version: 1\nname: a\nrules: *nobody\n', '3:8: there is no anchor &nobody above'],
    ['version: 1\n---\nversion: 1\n', expect.stringMatching(/^[12]:\d+: /) as string],
    [`#${'x'.repeat(262_144)}`, '1:1: the file is larger than 256 KiB'],
  ])('%j is refused', async (text, ...expected) => {
    expect(await mistakes(text)).toEqual(expected);
  });

  it('never throws, and always points into the file', async () => {
    const piece = fc.constantFrom('version: 1\n', 'name: a\n', 'rules:\n', '  - ', 'syscalls: [openat]\n', '    error: EIO\n', '    ', '{', '}', '[', ']', ': ', '- ', '&a ', '*a', '!!binary x', '? ', '|\n', '"', '\n', '\t', '#', '<<: ', '\u0000', 'é', '%TAG ! x\n---\n', '1', 'null');
    await fc.assert(fc.asyncProperty(fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')), async (text) => {
      const result = await parseScenario(text);
      if (result.ok) return;
      const lines = text.split('\n').length;
      for (const { line, column, message } of result.mistakes) {
        expect(message.length).toBeGreaterThan(3);
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines);
        expect(column).toBeGreaterThanOrEqual(1);
      }
    }), { numRuns: 1500 });
  });

  it('says where in one line', async () => {
    const result = await parseScenario('version: 2\nname: a\nrules: 1\n');
    expect(result.ok ? '' : scenarioError('disk.yaml', result.mistakes)).toBe('disk.yaml:1:10: version must be 1: a newer kbtop may read this file; 3:8: rules must be a list');
  });
});

describe('formatScenario', () => {
  it('writes what people would', async () => {
    const rules = [ruleOf({ name: 'x', syscalls: ['%open'], error: 'ENOSPC', target: { pod: 'shop/web-1' }, every: 2, duration: 30_000 }), ruleOf({ syscalls: ['read'], delay: 1500 })];
    expect(await formatScenario({ name: 'disk', description: '', use: 'all', rules })).toBe(
      'version: 1\nname: disk\nrules:\n  - name: x\n    target:\n      pod: shop/web-1\n    syscalls:\n      - "%open"\n    error: ENOSPC\n    every: 2\n    duration: 30s\n  - syscalls:\n      - read\n    delay: 1500us\n',
    );
  });

  it('is read as the same scenario', async () => {
    const scenario = fc.record({
      name: fc.constantFrom('a', '1', 'null', 'true-1'), description: fc.string({ unit: fc.constantFrom(...'ab: #\n"\'|>-é'), maxLength: 40 }).map((text) => text.trim()), use: fc.constantFrom('all' as const, 'first' as const),
      rules: fc.uniqueArray(anyRule, { minLength: 1, maxLength: 4, selector: ({ name }) => name ?? Math.random() }),
    });
    await fc.assert(fc.asyncProperty(scenario, async (original) => {
      expect(await read(await formatScenario(original))).toEqual(original);
    }), { numRuns: 300 });
  });
});

describe('the scenarios of the repository', () => {
  const dir = new URL('../../scenarios/', import.meta.url);
  const files = readdirSync(dir).sort();

  it('are these', () => {
    expect(files).toEqual(['connect-refused.yaml', 'fsync-stalled.yaml', 'ln-hello-world-enomem.yaml', 'openat-enospc.yaml', 'slow-disk.yaml', 'touch-hello-enomem.yaml']);
  });

  it.each(files)('%s is right, is called like its file, says what one will see, and is for any target', async (file) => {
    const scenario = await read(readFileSync(new URL(file, dir), 'utf8'));
    expect(`${scenario.name}.yaml`).toBe(file);
    expect(scenario.description.length).toBeGreaterThan(60);
    expect(scenario.rules.map(({ target }) => target)).toEqual(scenario.rules.map(() => null));
    expect(scenario.rules.every(({ durationMs }) => durationMs <= 60_000)).toBe(true);
    expect(await read(await formatScenario(scenario))).toEqual(scenario);
  });

  it('fail the allocation for that name alone, on kernels with and without the means', async () => {
    const { rules, use } = await read(readFileSync(new URL('touch-hello-enomem.yaml', dir), 'utf8'));
    expect(use).toBe('first');
    expect(rules.map(({ effect }) => effect)).toEqual(rules.map(() => ({ kind: 'error', errno: 'ENOMEM' })));
    expect(rules.map(({ where, kernel }) => where.path ?? (kernel?.when?.kind === 'string' ? kernel.when.equals : null))).toEqual(['hello', 'hello', 'hello']);
    const links = await read(readFileSync(new URL('ln-hello-world-enomem.yaml', dir), 'utf8'));
    expect(links.rules.map(({ where, kernel }) => where.path ?? (kernel?.when?.kind === 'string' ? kernel.when.equals : null))).toEqual(['world', 'world', 'world']);
  });
});
