/** Whether BPF can work here at all, from two files: says the reason before anything is loaded or drawn. */
import { type Feature, privileges, systemFeatures } from '../bpf/features.ts';
import { EXIT, KbtopError } from './errors.ts';

/** May this user load tracing programs: root, or CAP_BPF with CAP_PERFMON. Unknown counts as yes. */
function mayLoad(root: string): boolean {
  const { has } = privileges(root);
  return has('CAP_SYS_ADMIN') !== false || (has('CAP_BPF') === true && has('CAP_PERFMON') === true);
}

/**
 * @param what "kbtop top", for the advice @param root directory that stands for /, for tests
 * @throws KbtopError (not possible here) when no pane could work
 */
export function requireBpf(what: string, root = '/'): void {
  if (!mayLoad(root)) {
    throw new KbtopError(EXIT.impossible, `BPF needs root, or the capabilities CAP_BPF and CAP_PERFMON: run sudo ${what}, or see what is missing with kbtop doctor`);
  }
  const btf: Feature | undefined = systemFeatures(root).find(({ feature }) => feature === 'BTF');
  if (btf?.ok === false) throw new KbtopError(EXIT.impossible, `BPF programs cannot be fitted to this kernel: ${btf.reason}`);
}
