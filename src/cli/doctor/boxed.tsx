/** The checks in ink-table's frame, for a terminal. Imported lazily: it brings Ink and React along. */
import { Text, renderToString } from 'ink';
import inkTable from 'ink-table';
import type { CellProps } from 'ink-table';
import type { PropsWithChildren, ReactElement, ReactNode } from 'react';
import type { Line } from './render.ts';

// A CommonJS package: its default export stands on what Node takes for the default.
const Table = inkTable.default;
type Row = { [K in keyof Line]: Line[K] };

/** Cells that ink-table draws around three columns' texts. */
export const FRAME_CELLS = 10;

const COLORS: Readonly<Record<string, string>> = { yes: 'green', no: 'red', partly: 'yellow', unknown: 'yellow' };

function Heading({ children }: PropsWithChildren): ReactElement {
  return <Text bold>{children}</Text>;
}

function Cell({ column, children }: CellProps): ReactElement {
  const color = column === 1 ? COLORS[String(children).trim()] : undefined;
  return color === undefined ? <Text>{children}</Text> : <Text color={color}>{children}</Text>;
}

function Skeleton({ children }: PropsWithChildren): ReactElement {
  return <Text dimColor>{children}</Text>;
}

/** Draws only once: a line under the headings is enough where reasons go on over several rows. */
function once<Props>(draw: (props: Props) => ReactElement): (props: Props) => ReactElement {
  let drawn = false;
  return (props) => {
    if (drawn) return <></>;
    drawn = true;
    return draw(props);
  };
}

class CompactTable extends Table<Row> {
  constructor(props: ConstructorParameters<typeof Table<Row>>[0]) {
    super(props);
    this.separator = once(this.separator);
  }
}

/** @throws whatever ink-table does; the caller has another table */
export function boxedTable(lines: readonly Line[], width: number): string {
  const data = lines.map((line) => ({ ...line }));
  const table: ReactNode = <CompactTable data={data} columns={['CHECK', 'OK', 'WHY']} padding={1} header={Heading} cell={Cell} skeleton={Skeleton} />;
  return `${renderToString(table, { columns: width })}\n`;
}
