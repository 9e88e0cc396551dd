/** How far a pod of one container that is to run once has come, from its object: what it waits for, or why it never will. */
import { oneLine } from '../identity/kubernetes/failure.ts';
import { integer, type Json, list, object, text } from '../identity/kubernetes/shape.ts';

export type Progress =
  | { readonly state: 'waiting'; readonly what: string }
  | { readonly state: 'running' }
  /** It has ended, or will not begin. `fix`: what to do; null: nothing is known. */
  | { readonly state: 'over'; readonly reason: string; readonly fix: string | null };

const IMAGE_FIX = 'give an image that the node can get by --image or KBTOP_IMAGE, or load it onto the node';

/** Reasons to wait that nothing but somebody's hand ends. */
const HOPELESS: Readonly<Record<string, string | null>> = {
  ErrImagePull: IMAGE_FIX,
  ImagePullBackOff: IMAGE_FIX,
  ErrImageNeverPull: 'load the image onto the node, or let it be pulled: --image-pull-policy IfNotPresent',
  InvalidImageName: 'correct --image or KBTOP_IMAGE',
  ImageInspectError: IMAGE_FIX,
  RegistryUnavailable: IMAGE_FIX,
  SignatureValidationFailed: 'give a signed image by --image or KBTOP_IMAGE',
  CreateContainerConfigError: null,
  CreateContainerError: null,
  RunContainerError: null,
  CrashLoopBackOff: null,
};

const FULL = 'end a pod on that node first';

/** Why a kubelet refuses or ends pods, and what helps. */
const FIXES: Readonly<Record<string, string>> = {
  OutOfcpu: FULL, OutOfmemory: FULL, OutOfpods: FULL, 'OutOfephemeral-storage': FULL,
  Evicted: 'it may work again once the node has recovered',
  DeadlineExceeded: 'ask for longer with --max-time',
  NodeShutdown: 'the node is being shut down',
  Preempting: 'a more important pod needed its place: try again',
};

const said = (reason: string | null, message: string | null): string => oneLine([reason, message].filter((part) => part !== null).join(': '));

function ended(status: Json, terminated: Json): Progress {
  const reason = text(status['reason']);
  // The kubelet's own words about the pod say more than how the container took it.
  if (reason !== null) return { state: 'over', reason: said(reason, text(status['message'])), fix: FIXES[reason] ?? null };
  const code = integer(terminated['exitCode']);
  const message = text(terminated['message']);
  const missing = message !== null && /executable file not found|no such file or directory/.test(message);
  return {
    state: 'over', reason: said(text(terminated['reason']) ?? text(status['phase']), message ?? (code === 0 ? null : `exit code ${code}`)),
    fix: missing ? 'give an image of kbtop by --image or KBTOP_IMAGE: kbtop must be on its PATH' : null,
  };
}

/** @param pod of one container; null: there is none any more */
export function progressOf(pod: Json | null): Progress {
  if (pod === null) return { state: 'over', reason: 'it was deleted', fix: null };
  const status = object(pod['status']);
  const container = object(object(list(status['containerStatuses'])[0])['state']);
  const phase = text(status['phase']) ?? 'Pending';
  if (phase === 'Failed' || phase === 'Succeeded') return ended(status, object(container['terminated']));
  if (text(object(pod['metadata'])['deletionTimestamp']) !== null) return { state: 'over', reason: 'it is being deleted', fix: null };
  if (typeof container['terminated'] === 'object' && container['terminated'] !== null) return ended(status, object(container['terminated']));
  if (typeof container['running'] === 'object' && container['running'] !== null) return { state: 'running' };
  const waiting = object(container['waiting']);
  const reason = text(waiting['reason']);
  const message = text(waiting['message']);
  if (reason !== null) {
    if (Object.hasOwn(HOPELESS, reason)) return { state: 'over', reason: said(reason, message), fix: HOPELESS[reason] ?? null };
    return { state: 'waiting', what: said(reason, message) };
  }
  const scheduled = list(status['conditions']).map(object).find((one) => one['type'] === 'PodScheduled' && one['status'] === 'False');
  if (scheduled) return { state: 'waiting', what: said(text(scheduled['reason']), text(scheduled['message'])) };
  return { state: 'waiting', what: text(status['startTime']) === null ? 'the kubelet has not taken it yet' : 'ContainerCreating' };
}
