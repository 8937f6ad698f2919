import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  readonly label: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** `head`: the name of the row. `number`: aligned to the right. `actions`: buttons. `wide`: may wrap. */
  readonly kind?: 'head' | 'number' | 'actions' | 'wide' | 'select';
  /** Shown in place of the label: a box that selects all. */
  readonly header?: ComponentChildren;
}

/** Said in words too, because `display: block` on narrow screens takes them away in some browsers. */
const ROLES = {
  table: { role: 'table' },
  group: { role: 'rowgroup' },
  row: { role: 'row' },
  columnHead: { role: 'columnheader' },
  rowHead: { role: 'rowheader' },
  cell: { role: 'cell' },
} as const;

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly isSelected?: (row: Row) => boolean;
}

/** The table of the console. On a narrow screen each row becomes a card, and each cell names its column. */
export function Table<Row>({ caption, columns, rows, keyOf, isSelected }: TableProps<Row>) {
  return (
    <div class="table-frame">
      <table {...ROLES.table}>
        <caption class="hidden">{caption}</caption>
        <thead {...ROLES.group}>
          <tr {...ROLES.row}>
            {columns.map(({ label, header, kind }) => (
              <th key={label} scope="col" {...ROLES.columnHead} class={kind}>
                {header ?? label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody {...ROLES.group}>
          {rows.map((row) => (
            <tr key={keyOf(row)} {...ROLES.row} class={isSelected?.(row) ? 'selected' : undefined} tabIndex={-1}>
              {columns.map((column) => (
                <Cell key={column.label} column={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell<Row>({ column, row }: { readonly column: Column<Row>; readonly row: Row }) {
  const { label, cell, kind } = column;
  if (kind === 'head') {
    return (
      <th scope="row" {...ROLES.rowHead} class={kind}>
        {cell(row)}
      </th>
    );
  }
  return (
    <td {...ROLES.cell} class={kind} data-label={label}>
      {cell(row)}
    </td>
  );
}
