/** What comes from a file is a Frame when it has a Frame's parts; panes that its writer did not know are off. */
import { type Frame, NO_LOSS, type PaneId, SCHEMA } from '../../frame/frame.ts';
import { PANE_IDS, PANES } from '../../frame/panes/index.ts';

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

const isPane = (pane: unknown): boolean => isObject(pane) && isObject(pane['state']) && isObject(pane['loss']) && Array.isArray(pane['rows']) && pane['rows'].every(isRow);

/** Every pane's row says whose it is. */
const isRow = (row: unknown): boolean => isObject(row) && typeof row['container'] === 'string';

function offPane(id: PaneId): object {
  const off = { state: { status: 'off', reason: 'not in this recording', level: null }, loss: NO_LOSS, rows: [] };
  return PANES[id].kind === 'stream' ? { ...off, ratePerSec: 0, totals: [] } : off;
}

/** The value itself where it is whole; null when it is no Frame. */
export function complete(value: unknown): Frame | null {
  if (!isObject(value)) return null;
  const { schema, time, intervalMs, seq, node, containers, learned, panes, chaos, self } = value;
  if (schema !== SCHEMA || typeof time !== 'string' || typeof intervalMs !== 'number' || typeof seq !== 'number') return null;
  if (!isObject(node) || !isObject(containers) || !isObject(panes)) return null;
  const missing = PANE_IDS.filter((id) => !(id in panes));
  if (PANE_IDS.some((id) => id in panes && !isPane(panes[id]))) return null;
  const frame = value as unknown as Frame;
  if (missing.length === 0 && isObject(learned) && Array.isArray(chaos) && isObject(self)) return frame;
  return {
    ...frame, learned: isObject(learned) ? frame.learned : {}, chaos: Array.isArray(chaos) ? frame.chaos : [], self: isObject(self) ? frame.self : { cpuPct: null, bpfCpuPct: null, rssBytes: null },
    panes: { ...frame.panes, ...Object.fromEntries(missing.map((id) => [id, offPane(id)])) },
  };
}
