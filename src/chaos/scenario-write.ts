/** Writes scenarios as scenario.ts reads them: defaults are left out, times have units. */
import { formatDuration } from '../frame/duration.ts';
import { SCENARIO_VERSION, type Scenario } from './scenario.ts';
import { formatDelayUs } from './time.ts';
import { draftOf } from './validate.ts';
import type { Rule } from './rule.ts';

function plainRule(rule: Rule): Record<string, unknown> {
  const { delay, duration, ...rest } = draftOf(rule);
  const plain = { ...rest, ...(delay === undefined ? {} : { delay: formatDelayUs(delay) }), ...(duration === undefined ? {} : { duration: formatDuration(duration) }) };
  const order = ['name', 'target', 'syscalls', 'error', 'signal', 'delay', 'where', 'probability', 'skip', 'every', 'last', 'maxHits', 'duration', 'seed', 'backend', 'kernel'];
  return Object.fromEntries(Object.entries(plain).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
}

/** YAML that parseScenario() makes the same scenario of. */
export async function formatScenario({ name, description, use, rules }: Scenario): Promise<string> {
  const { default: yaml } = await import('yaml');
  const plain = { version: SCENARIO_VERSION, name, ...(description === '' ? {} : { description }), ...(use === 'all' ? {} : { use }), rules: rules.map(plainRule) };
  // Each text once and as it is: no anchors, no folding that could change it.
  return yaml.stringify(plain, { aliasDuplicateObjects: false, lineWidth: 0 });
}
