/** A rule in one sentence, for `kbtop chaos plan`, the panel and the audit. Strings in it are raw: terminals escape them. */
import { formatDuration } from '../frame/duration.ts';
import { meaningOf } from './errors.ts';
import { familyOf, groupOf } from './families.ts';
import { parseGlob } from './glob.ts';
import { KERNEL_FAULT_FUNCTIONS } from './select.ts';
import { formatDelayUs } from './time.ts';
import { type Rule, targetText } from './rule.ts';

/** "30 s", "2 min". */
const spell = (ms: number): string => formatDuration(ms).replace(/(\d)(ms|s|m|h)/g, (_, digit: string, unit: string) => `${digit} ${unit === 'm' ? 'min' : unit}`);

const ordinal = (n: number): string => {
  const suffix = n % 100 >= 11 && n % 100 <= 13 ? 'th' : ['th', 'st', 'nd', 'rd'][n % 10] ?? 'th';
  return `${n}${suffix}`;
};

const anyOf = (names: readonly string[]): string => (names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`);

function callsText(syscalls: readonly string[]): string {
  const [only] = syscalls;
  if (syscalls.length !== 1 || only === undefined || !only.startsWith('%')) return anyOf(syscalls);
  const calls = groupOf(only.slice(1))?.calls ?? [];
  return `${only} call (${calls.length > 6 ? `${calls.slice(0, 5).join(', ')} and ${calls.length - 5} more` : anyOf(calls)})`;
}

function whereText({ where }: Rule): string {
  const { path, port, fd, comm, uid } = where;
  const parts = [
    path === null ? null : parseGlob(path).nameOnly ? `on files called ${path}` : `on path ${path}`,
    port === null ? null : `with port ${port}`,
    fd === null ? null : `on descriptor ${fd}`,
    comm === null ? null : `by threads called ${comm}`,
    uid === null ? null : `by user id ${uid}`,
  ];
  return parts.filter((part) => part !== null).map((part) => ` ${part}`).join('');
}

function whichText({ every, skip, last }: Rule, calls: string): { readonly which: string; readonly after: string } {
  if (last === skip + 1) return { which: `the ${ordinal(last)} ${calls}`, after: '' };
  const bounds = [skip > 0 ? `after the first ${skip}` : null, last === null ? null : `up to the ${ordinal(last)}`].filter((bound) => bound !== null);
  return { which: `every ${every > 1 ? `${ordinal(every)} ` : ''}${calls}`, after: bounds.length === 0 ? '' : ` ${bounds.join(' and ')}` };
}

function effectText({ effect, kernel, syscalls }: Rule): string {
  if (kernel !== null) {
    const { when } = kernel;
    const condition = when === null ? '' : when.kind === 'pid' ? ` for process ${when.pid}` : ` with argument ${when.argument} "${when.equals}"`;
    const what = { slab: 'small allocations', page: 'page allocations', bio: 'block I/O' }[kernel.fault];
    return `has its ${what} fail (${KERNEL_FAULT_FUNCTIONS[kernel.fault]}) while the kernel runs ${kernel.function}${condition}`;
  }
  switch (effect.kind) {
    case 'error': {
      const [first = ''] = syscalls;
      const meaning = meaningOf(effect.errno, (first.startsWith('%') ? groupOf(first.slice(1)) : familyOf(first))?.name ?? null);
      return `fails with ${effect.errno}${meaning === null ? '' : ` (${meaning})`}`;
    }
    case 'signal': return `brings its caller ${effect.signal}`;
    case 'delay': return `starts ${formatDelayUs(effect.us).replace(/(\d)([a-z])/, '$1 $2')} late`;
  }
}

/** 0.25 → "25 %". */
const percent = (probability: number): string => `${Number((probability * 100).toPrecision(3))} %`;

/** @param dryRun it only counts */
export function explainRule(rule: Rule, dryRun = false): string {
  const { which, after } = whichText(rule, callsText(rule.syscalls));
  const whose = rule.target === null ? '' : ` of ${targetText(rule.target)}`;
  const chance = rule.probability === 1 ? '' : `, with a chance of ${percent(rule.probability)}`;
  const times = rule.maxHits === 1 ? 'once' : `${rule.maxHits} times`;
  const sentence = `For ${spell(rule.durationMs)}, ${which}${whose}${whereText(rule)}${after}${chance === '' ? '' : `${chance},`} ${effectText(rule)}, at most ${times}; ends by itself.`;
  return dryRun ? `Dry run, calls are counted and nothing happens to them: ${sentence}` : sentence;
}
