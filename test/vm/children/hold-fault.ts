/** Arms a rule for a cgroup and holds it until it is ended: hold-fault.ts CGROUP_PATH RULE_AS_JSON. Prints "armed". */
import { validateRule } from '../../../src/chaos/validate.ts';
import { TestCgroup } from '../../workloads/cgroup.ts';
import { Fault } from '../fault.ts';

const [path = '', draft = ''] = process.argv.slice(2);
const rule = validateRule(JSON.parse(draft));
if (!rule.ok) throw new Error(JSON.stringify(rule.mistakes));
await Fault.arm(rule.value, [new TestCgroup(path)]);
console.log('armed');
setInterval(() => {}, 60_000);
