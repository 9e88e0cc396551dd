/** The door of chaos as the command line opens it. */
import type { ChaosDoor } from '../../chaos/door.ts';
import { openChaosDoor } from '../../chaos/service/client.ts';
import type { Settings } from '../settings.ts';

const debugLine = (text: string): void => { process.stderr.write(text.endsWith('\n') ? text : `${text}\n`); };

/** @param auditFile default: /var/log/kbtop/chaos.jsonl */
export function doorOf({ sources, debug }: Settings, auditFile?: string): ChaosDoor {
  return openChaosDoor({ sources, debug: debug ? debugLine : null, ...(auditFile !== undefined && { auditFile }) });
}
