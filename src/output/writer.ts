/** How a Frame becomes text, for every format. */
import type { Frame, PaneId } from '../frame/frame.ts';
import { csvHeader, csvRows } from './csv.ts';
import type { Format } from './formats.ts';
import { frameTable } from './frame-table.ts';
import { frameJson, frameNdjson } from './json.ts';
import { openMetrics } from './openmetrics.ts';

export interface WriterOptions {
  /** Panes to write; CSV takes the first. */
  readonly panes: readonly PaneId[];
  /** How many Frames will come. */
  readonly frames: number;
  /** Headings of table and CSV. */
  readonly headings: boolean;
  /** Cells to fit a table into; null: do not cut. */
  readonly width: number | null;
  /** Rows per pane to draw in a table; null: all. */
  readonly rows: number | null;
  readonly color: boolean;
  readonly ascii: boolean;
}

/** Text of one Frame after the other. @param index number of the Frame, from 0 */
export type FrameWriter = (frame: Frame, index: number) => string;

export function frameWriter(format: Format, options: WriterOptions): FrameWriter {
  const { panes, headings } = options;
  switch (format) {
    case 'json': return frameJson;
    case 'ndjson': return frameNdjson;
    case 'prometheus': return (frame) => openMetrics(frame, panes);
    case 'csv': return (frame, index) => (headings && index === 0 ? csvHeader(panes) : '') + csvRows(frame, panes);
    case 'table': {
      const titles = headings && (panes.length > 1 || options.frames > 1);
      return (frame, index) => (titles && index > 0 ? '\n' : '') + frameTable(frame, { ...options, titles, headings: headings && (titles || index === 0) });
    }
  }
}
