/** Every source of names, best first. A new one is a line here. */
import { createCriSource } from './cri/source.ts';
import { createApiSource } from './kubernetes/api.ts';
import { createKubeletSource } from './kubernetes/kubelet.ts';
import { createLogsSource } from './logs/source.ts';
import { createOciSource } from './oci/source.ts';
import type { SourceOptions } from './options.ts';
import type { NameSource } from './source.ts';

/** None of them is started. @param podsSeen whether this is a node with pods: elsewhere nobody knocks at a kubelet's port */
export function createSources(options: SourceOptions, podsSeen: () => boolean): readonly NameSource[] {
  const api = createApiSource(options);
  return [
    createOciSource(options), createCriSource(options), createLogsSource(options), api,
    createKubeletSource(options, { needed: () => api.state.status !== 'ok' && podsSeen() }),
  ];
}
