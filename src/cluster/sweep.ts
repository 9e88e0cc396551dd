/** What earlier sessions of the same user have left behind. */
import { Failure } from '../identity/kubernetes/failure.ts';
import { object, strings, text } from '../identity/kubernetes/shape.ts';
import { DEBUG_LABELS, KEEP_LABEL, labelValue, USER_LABEL } from './debug-pod.ts';
import { type Kube, metadataOf, nameOf, uidOf } from './kube.ts';

/** Remove the user's debug pods that have ended. Helps, and never hinders: @returns how many there were */
export async function sweep(kube: Kube, namespace: string, who: string): Promise<number> {
  const labels = Object.entries({ ...DEBUG_LABELS, [USER_LABEL]: labelValue(who) }).map(([key, value]) => `${key}=${value}`).join(',');
  try {
    const pods = await kube.pods({ namespace, labels });
    const over = pods.filter((pod) => ['Succeeded', 'Failed'].includes(text(object(pod['status'])['phase']) ?? '') && strings(metadataOf(pod)['labels'])[KEEP_LABEL] === undefined);
    const gone = await Promise.all(over.map(async (pod) => {
      const uid = uidOf(pod);
      return uid !== null && await kube.delete(namespace, nameOf(pod), uid, 0);
    }));
    return gone.filter(Boolean).length;
  } catch (error) {
    if (error instanceof Failure) return 0;
    throw error;
  }
}
