/** Where on the ladder of privileges this run stands: a row a rung, the next steps with what they take. */
import { type Privileges, privileges } from '../../bpf/capabilities.ts';
import { LADDER, NESTED, WITHOUT, reaches, stepTo } from '../ladder.ts';
import { type Check, check } from './check.ts';

/** @param own of whom @param inPod whether kbtop runs in Kubernetes */
export function ladderChecks(own: Privileges = privileges(), inPod = process.env['KUBERNETES_SERVICE_HOST'] !== undefined): Check[] {
  return LADDER.map((rung) => {
    const reached = reaches(rung, own);
    if (reached === null) return check('ladder', rung.name, null, '/proc/self/status cannot be read');
    if (reached) return check('ladder', rung.name, true, rung.gives);
    const why = [`lost: ${rung.lost}`, ...(own.nested ? [NESTED] : []), ...(rung.name === 'measure' ? [WITHOUT] : [])];
    return check('ladder', rung.name, false, why.join('; '), stepTo(rung, own, inPod));
  });
}
