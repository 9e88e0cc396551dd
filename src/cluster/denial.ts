/** Why a debug pod was refused, and what somebody can do about it: one line each, as admission tells them apart. */
import type { Failure } from '../identity/kubernetes/failure.ts';
import { Trouble } from './errors.ts';

/** The message without what stands before every refusal: `pods "x" is forbidden: `. */
const reasonIn = ({ message }: Failure): string => message.replace(/^answered \d+: /, '').replace(/^pods "[^"]*" is forbidden: /, '');

/** User "anna" cannot create resource "pods" ... */
const RBAC = /^(?:pods(?:\/\w+)? is forbidden: )?User "([^"]+)" cannot (\w+) resource "([^"]+)"/;

/** What somebody lacks, as a sentence; null when the refusal is of another kind. */
export function lackOf(failure: Failure, namespace: string): string | null {
  if (failure.kind !== 'forbidden') return null;
  const found = RBAC.exec(reasonIn(failure).replace(/^[\w.]+ "[^"]*" is forbidden: /, ''));
  return found && `${found[1]} may not ${found[2]} ${found[3]} in namespace ${namespace}`;
}

const CURE = (namespace: string): string => `give one that takes privileged pods by --debug-namespace, or allow them: kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=privileged`;

/** @returns what to tell about a POST that failed */
export function denialOf(failure: Failure, namespace: string): Trouble {
  const reason = reasonIn(failure);
  const options = { cause: failure };
  const lack = lackOf(failure, namespace);
  if (lack !== null) return new Trouble('impossible', `cannot make the debug pod: ${lack}; docs/kubectl.md lists what is needed`, options);
  const security = /violates PodSecurity "([^"]+)"/.exec(reason);
  if (security) return new Trouble('impossible', `namespace ${namespace} forbids privileged pods (PodSecurity ${security[1]}): ${CURE(namespace)}`, options);
  if (/unable to validate against any (?:security context constraint|pod security policy)/.test(reason)) {
    return new Trouble('impossible', `no security context constraint in namespace ${namespace} allows privileged pods: give another by --debug-namespace, or allow it: oc adm policy add-scc-to-user privileged -z default -n ${namespace}`, options);
  }
  if (/quota/.test(reason)) return new Trouble('impossible', `namespace ${namespace} has no room for the debug pod (${reason}): give another by --debug-namespace`, options);
  if (/ (?:usage|limit|request) per (?:Container|Pod) is |LimitRange|must be less than or equal to/.test(reason)) return new Trouble('impossible', `the limits of namespace ${namespace} do not fit the debug pod (${reason}): give another by --debug-namespace`, options);
  const webhook = /^(?:admission webhook "([^"]+)" denied the request: |ValidatingAdmissionPolicy '([^']+)')/.exec(reason);
  if (webhook) return new Trouble('impossible', `the cluster's policy ${webhook[1] ?? webhook[2]} forbids the debug pod (${reason.slice(webhook[0].length) || reason}): give a namespace that it leaves alone by --debug-namespace`, options);
  if (/is being terminated|namespace .* is terminating/.test(reason)) return new Trouble('impossible', `namespace ${namespace} is being deleted: give another by --debug-namespace`, options);
  if (/^namespaces "[^"]*" not found/.test(reason)) return new Trouble('not found', `there is no namespace ${namespace} for the debug pod: give another by --debug-namespace`, options);
  if (/service account .* not found|serviceaccount "[^"]*" not found/.test(reason)) return new Trouble('failed', `namespace ${namespace} has no service account yet (${reason}): try again in a moment`, options);
  const kind = failure.kind === 'forbidden' || failure.status === 422 ? 'impossible' : 'failed';
  return new Trouble(kind, `cannot make the debug pod in namespace ${namespace}: ${failure.kind === 'network' ? failure.message : reason}${failure.fix === null ? '' : `: ${failure.fix}`}`, options);
}
