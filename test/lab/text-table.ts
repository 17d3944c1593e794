/** Cells by column; every row has every column. */
export type Row<Column extends string> = Readonly<Record<Column, string>>;

/** A table for people, one line per row under its headings. */
export function textTable<Column extends string>(headings: Row<Column>, rows: readonly Row<Column>[]): string {
  const columns = Object.keys(headings) as Column[];
  const widths = columns.map((column) => Math.max(...[headings, ...rows].map((row) => row[column].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    line(columns.map((column) => headings[column])),
    line(widths.map((width) => '-'.repeat(width))),
    ...rows.map((row) => line(columns.map((column) => row[column]))),
  ].join('\n');
}
