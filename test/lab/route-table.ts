/** One flow, as it should go and as the counters saw it go. */
export interface RouteRow {
  readonly scenario: string;
  readonly flow: string;
  readonly expected: string;
  readonly observed: string;
  /** Received of sent. */
  readonly packets: string;
}

const HEADINGS: RouteRow = {
  scenario: 'scenario',
  flow: 'flow',
  expected: 'expected route',
  observed: 'observed route',
  packets: 'packets',
};

/** A table for people; `=` where observed is what was expected. */
export function routeTable(rows: readonly RouteRow[]): string {
  const all = [HEADINGS, ...rows.map((row) => (row.observed === row.expected ? { ...row, observed: '=' } : row))];
  const columns = ['scenario', 'flow', 'expected', 'observed', 'packets'] as const;
  const widths = columns.map((column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row: RouteRow): string =>
    columns
      .map((column, index) => row[column].padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(HEADINGS), widths.map((width) => '-'.repeat(width)).join('  '), ...all.slice(1).map(line)].join('\n');
}
