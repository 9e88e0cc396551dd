/**
 * Rows as CSV (RFC 4180, CRLF): one table however many panes, with the columns of all of them, and `pane` to tell whose
 * row it is; what a pane does not have is empty. Values are raw, in the units of the column ids; unknown is an empty
 * field, an empty text is "". Nothing is done about cells that a spreadsheet takes for a formula: data stays data.
 */
import type { RowContext } from '../frame/columns.ts';
import type { ContainerInfo, Frame, PaneId } from '../frame/frame.ts';
import { contextOf } from '../frame/names.ts';
import { type AnyColumn, type AnyRow, exportColumns, paneDef, rowsOf } from './any-pane.ts';

type Value = string | number | null;

interface IdentityColumn {
  readonly id: string;
  readonly help: string;
  value(frame: Frame, key: string, info: ContainerInfo, pane: PaneId): Value;
}

/** What stands before a pane's own columns in every record: when, and who. */
export const IDENTITY_COLUMNS: readonly IdentityColumn[] = [
  { id: 'frameTime', help: 'End of the interval, ISO 8601 UTC', value: (frame) => frame.time },
  { id: 'intervalMs', help: 'Length of the interval, milliseconds', value: (frame) => frame.intervalMs },
  { id: 'node', help: 'Name of the node', value: (frame, _key, info) => info.node ?? frame.node.name },
  { id: 'pane', help: 'Pane whose row it is', value: (_frame, _key, _info, pane) => pane },
  { id: 'containerKey', help: 'Key of the cgroup in the JSON', value: (_frame, key) => key },
  { id: 'kind', help: 'pod, container, sandbox, service, user, host or unknown', value: (_frame, _key, info) => info.kind },
  { id: 'namespace', help: 'Kubernetes namespace', value: (_frame, _key, info) => info.namespace },
  { id: 'pod', help: 'Name of the pod', value: (_frame, _key, info) => info.pod },
  { id: 'podUid', help: 'uid of the pod', value: (_frame, _key, info) => info.podUid },
  { id: 'containerName', help: 'Name of the container in its pod', value: (_frame, _key, info) => info.container },
  { id: 'containerId', help: 'Id that the runtime gave it', value: (_frame, _key, info) => info.containerId },
  { id: 'cgroup', help: 'Path of the cgroup in its hierarchy', value: (_frame, _key, info) => info.cgroup },
];

/** Ids of the columns of these panes, each once, that the identity columns do not say already. */
function ownIds(panes: readonly PaneId[]): readonly string[] {
  const before = new Set(IDENTITY_COLUMNS.map((column) => column.id));
  return [...new Set(panes.flatMap((id) => exportColumns(paneDef(id)).map((column) => column.id)))].filter((id) => !before.has(id));
}

function field(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  return value === '' || /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const record = (values: readonly Value[]): string => `${values.map(field).join(',')}\r\n`;

export function csvHeader(panes: readonly PaneId[]): string {
  return record([...IDENTITY_COLUMNS.map((column) => column.id), ...ownIds(panes)]);
}

function valuesOf(frame: Frame, pane: PaneId, row: AnyRow, columns: readonly (AnyColumn | undefined)[], context: RowContext): Value[] {
  const info = context.container(row.container);
  return [...IDENTITY_COLUMNS.map((column) => column.value(frame, row.container, info, pane)), ...columns.map((column) => column?.value(row, context) ?? null)];
}

/** One record per row, pane after pane, without the header. */
export function csvRows(frame: Frame, panes: readonly PaneId[]): string {
  const ids = ownIds(panes);
  const context = contextOf(frame);
  return panes.map((pane) => {
    const own = new Map(exportColumns(paneDef(pane)).map((column) => [column.id, column]));
    const columns = ids.map((id) => own.get(id));
    return rowsOf(frame, pane).map((row) => record(valuesOf(frame, pane, row, columns, context))).join('');
  }).join('');
}
