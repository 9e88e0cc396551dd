/** Rules as somebody may write them: any fields, any allowed values. */
import fc from 'fast-check';
import { BACKENDS } from '../../src/chaos/backends.ts';
import { PATH_ARGUMENTS } from '../../src/chaos/call-arguments.ts';
import { ERRNO_NAMES } from '../../src/chaos/errnos.ts';
import { CALL_NAMES, FAMILIES } from '../../src/chaos/families.ts';
import { KERNEL_FAULTS, type Rule } from '../../src/chaos/rule.ts';
import { SIGNAL_NAMES } from '../../src/chaos/signals.ts';
import { type RuleDraft, validateRule } from '../../src/chaos/validate.ts';

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const defined = <T extends object>(fields: T): T => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?$/);
const item = fc.oneof(fc.constantFrom(...CALL_NAMES), fc.constantFrom(...FAMILIES.map(({ name }) => `%${name}`)));
/** With every character that YAML, shells and the grammar find interesting. */
const hostile = fc.string({ unit: fc.constantFrom(...'ab/.*?:,=+#"\'%@&!{}-~ \n\téü漢'), minLength: 1, maxLength: 12 });
const count = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }));

const target = fc.oneof(
  fc.record({ pod: fc.tuple(label, label).map((parts) => parts.join('/')) }),
  fc.record({ pod: fc.tuple(label, label).map((parts) => parts.join('/')), container: label }),
  fc.record({ cgroup: hostile.map((text) => `/${text.replaceAll(/[./]/g, 'x')}`) }),
  fc.record({ containerId: fc.stringMatching(/^[0-9a-f]{12,64}$/) }),
);

const effect = fc.oneof(
  fc.record({ error: fc.constantFrom(...ERRNO_NAMES) }),
  fc.record({ signal: fc.constantFrom(...SIGNAL_NAMES) }),
  fc.record({ delay: fc.integer({ min: 1, max: 5_000_000 }) }),
);

const where = fc.record({
  path: maybe(hostile), comm: maybe(fc.string({ unit: fc.constantFrom(...'abc:%#[1 '), minLength: 1, maxLength: 15 })), uid: maybe(fc.nat(100_000)),
}).map(defined);

const kernel = fc.record({ fault: fc.constantFrom(...KERNEL_FAULTS), function: fc.constantFrom('ext4_create', 'submit_bio'), when: fc.constantFrom({}, { pid: 4711 }, { argument: 3, string: 'a: b' }) }).map(({ when, ...rest }) => ({ ...rest, ...when }));

/** Valid drafts: paths go with calls that have one, backends with their effect. */
export const anyDraft: fc.Arbitrary<RuleDraft> = fc.record({
  name: maybe(label), target: maybe(target), syscalls: fc.array(item, { minLength: 1, maxLength: 5 }), effect, where: maybe(where),
  probability: maybe(fc.oneof(fc.constantFrom(1, 0.5, 0.25, 1e-6), fc.double({ min: 1e-6, max: 1, noNaN: true }))),
  counts: fc.record({ skip: maybe(count), every: maybe(count), more: maybe(count) }), maxHits: maybe(count), duration: maybe(fc.integer({ min: 100, max: 900_000 })), seed: maybe(fc.maxSafeNat()),
  wish: fc.boolean(), kernel: maybe(kernel), roll: fc.nat(),
}).map(({ effect, where, counts: { skip, every, more }, wish, kernel, roll, syscalls, ...rest }) => {
  const [kind = 'error'] = Object.keys(effect);
  const able = BACKENDS.filter((backend) => backend.effect === kind);
  const paths = where?.path === undefined ? syscalls : syscalls.filter((name) => PATH_ARGUMENTS.has(name));
  const calls = paths.length === 0 ? ['openat'] : paths;
  return defined({
    ...rest, where, skip, every, last: more === undefined ? undefined : (skip ?? 0) + more,
    ...(kernel === undefined ? { ...effect, syscalls: calls, backend: wish ? able[roll % able.length]?.name : undefined } : { kernel, syscalls: calls, backend: wish ? 'kprobe' : undefined }),
  });
});

export const anyRule: fc.Arbitrary<Rule> = anyDraft.map((draft) => {
  const result = validateRule(draft);
  if (!result.ok) throw new Error(`${JSON.stringify(draft)}: ${JSON.stringify(result.mistakes)}`);
  return result.value;
});

/** Rule of a draft that is right. */
export function ruleOf(draft: RuleDraft): Rule {
  const result = validateRule(draft);
  if (!result.ok) throw new Error(JSON.stringify(result.mistakes));
  return result.value;
}
