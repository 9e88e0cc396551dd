/** Frames as they travel: JSON, compressed once for all who look. What is unpacked is checked before anybody uses it. */
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';
import { isFields, isText } from '../../chaos/service/shape.ts';
import type { Column, RowContext } from '../../frame/columns.ts';
import { type ContainerInfo, type Frame, SCHEMA } from '../../frame/frame.ts';
import { PANES, PANE_IDS } from '../../frame/panes/index.ts';
import { MAX_FRAME_BYTES, MAX_UNPACKED_BYTES } from './limits.ts';
import { isWhole, parseJson } from './shape.ts';

const compress = promisify(zstdCompress);
/** Two thirds of the time of the default level, for about the same bytes. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Off the main thread, but for the JSON. Null: larger than a session takes. */
export async function packJson(value: unknown): Promise<Buffer | null> {
  const text = Buffer.from(JSON.stringify(value));
  if (text.length > MAX_UNPACKED_BYTES) return null;
  const packed = await compress(text, FAST);
  return packed.length > MAX_FRAME_BYTES ? null : packed;
}

/** Undefined: damaged, or larger unpacked than a session takes. */
function unpackJson(packed: Buffer): unknown {
  try {
    return parseJson(zstdDecompressSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES }));
  } catch {
    return undefined;
  }
}

const TEXTS_OR_NULL = ['cgroup', 'namespace', 'pod', 'podUid', 'container', 'containerId', 'image', 'nodename', 'unresolved'] as const;

/** Containers by key; null when one of them is none. */
function readContainers(value: unknown): Readonly<Record<string, ContainerInfo>> | null {
  const isContainer = (one: unknown): boolean => isFields(one) && isText(one['kind']) && isText(one['cgroupId']) && isFields(one['labels']) && TEXTS_OR_NULL.every((key) => one[key] === null || isText(one[key]));
  return isFields(value) && Object.values(value).every(isContainer) ? (value as Record<string, ContainerInfo>) : null;
}

const STATUSES = ['ok', 'loading', 'off', 'error'];
const NUMBERS_OF_LOSS = ['seen', 'kept', 'lostRing', 'lostMap', 'lostFault', 'unattributed', 'overBudget'];

/** Whether every column finds in the row what it looks for. */
function isRow(row: unknown, columns: readonly Column<never>[], context: RowContext): boolean {
  return isFields(row) && isText(row['container']) && columns.every((column) => {
    const value: unknown = column.value(row as never, context);
    return value === null || typeof value === 'string' || typeof value === 'number';
  });
}

function isPane(value: unknown, columns: readonly Column<never>[], kind: string, context: RowContext): boolean {
  if (!isFields(value)) return false;
  const { state, loss, rows, totals } = value;
  if (!isFields(state) || !STATUSES.includes(String(state['status'])) || !(state['reason'] === null || isText(state['reason']))) return false;
  if (!isFields(loss) || !NUMBERS_OF_LOSS.every((key) => Number.isFinite(loss[key])) || !Array.isArray(rows)) return false;
  if (kind === 'stream' && (!Number.isFinite(value['ratePerSec']) || !Array.isArray(totals))) return false;
  return rows.every((row: unknown) => isRow(row, columns, context));
}

const STRANGER = { kind: 'unknown', labels: {} } as unknown as ContainerInfo;

/** Null: no Frame that this kbtop can show. */
export function readFrame(value: unknown): Frame | null {
  try {
    return isFrame(value) ? value : null;
  } catch {
    // a column that looked for what is not there
    return null;
  }
}

function isFrame(value: unknown): value is Frame {
  if (!isFields(value) || value['schema'] !== SCHEMA || !isWhole(value['seq']) || !Number.isFinite(value['intervalMs'])) return false;
  const { time, node, panes, chaos, self } = value;
  if (!isText(time) || Number.isNaN(Date.parse(time)) || !isFields(self) || !isFields(panes) || !Array.isArray(chaos)) return false;
  if (!isFields(node) || !isText(node['name']) || !isText(node['kernel']) || !Number.isFinite(node['cpus'])) return false;
  const containers = readContainers(value['containers']);
  if (containers === null || readContainers(value['learned']) === null) return false;
  const context: RowContext = { frame: value as unknown as Frame, container: (key) => (Object.hasOwn(containers, key) ? containers[key] : undefined) ?? STRANGER };
  return PANE_IDS.every((id) => isPane(panes[id], PANES[id].columns as readonly Column<never>[], PANES[id].kind, context));
}

export const unpackFrame = (packed: Buffer): Frame | null => readFrame(unpackJson(packed));
export const unpackLearned = (packed: Buffer): Frame['learned'] | null => readContainers(unpackJson(packed));
