import type { ObservedRoute } from './observed-route.js';
import { textTable, type Row } from './text-table.js';

type RouteColumn = 'scenario' | 'flow' | 'expected' | 'observed' | 'received' | 'counted';
type StreamColumn = 'scenario' | 'flow' | 'expected' | 'lost' | 'hole' | 'told' | 'installed';

const ROUTES: Row<RouteColumn> = {
  scenario: 'scenario',
  flow: 'flow',
  expected: 'expected route',
  observed: 'observed route',
  received: 'received',
  counted: 'per link',
};

const STREAMS: Row<StreamColumn> = {
  scenario: 'under 1 ms probes',
  flow: 'flow',
  expected: 'expected',
  lost: 'lost of sent',
  hole: 'longest hole',
  told: 'IGP told after',
  installed: 'installed after',
};

/** What a suite expected and what it saw, for people to read at its end. */
export class Report {
  readonly #routes: Row<RouteColumn>[] = [];
  readonly #streams: Row<StreamColumn>[] = [];
  readonly #notes: string[] = [];

  route(row: {
    readonly scenario: string;
    readonly flow: string;
    readonly expected: readonly (readonly string[])[];
    readonly observed: readonly ObservedRoute[];
    readonly received: string;
  }): void {
    const waysOf = (ways: readonly (readonly string[])[]) => ways.map((nodes) => nodes.join(' ')).sort();
    const expected = waysOf(row.expected).join(' and ');
    const observed = waysOf(row.observed.map(({ nodes }) => nodes)).join(' and ');
    this.#routes.push({
      ...row,
      expected,
      observed: observed === expected ? '=' : observed || 'none',
      counted: row.observed
        .map(({ packets: { min, max } }) => (min === max ? String(min) : `${min} to ${max}`))
        .join(' and '),
    });
  }

  /** Times in ms from the change; undefined where the IGP had nothing to tell. */
  stream(row: {
    readonly scenario: string;
    readonly flow: string;
    readonly expected: string;
    readonly report: {
      readonly sent: number;
      readonly lost: number;
      readonly gaps: readonly { readonly us: number }[];
    };
    readonly toldMs?: number;
    readonly installedMs?: number;
  }): void {
    const { scenario, flow, expected, report, toldMs, installedMs } = row;
    this.#streams.push({
      scenario,
      flow,
      expected,
      lost: `${report.lost} of ${report.sent}`,
      hole: report.gaps.length === 0 ? '-' : ms(Math.max(...report.gaps.map(({ us }) => us)) / 1000),
      told: ms(toldMs),
      installed: ms(installedMs),
    });
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  toString(): string {
    return [
      ...(this.#routes.length > 0 ? [textTable(ROUTES, this.#routes)] : []),
      ...(this.#streams.length > 0 ? [textTable(STREAMS, this.#streams)] : []),
      ...(this.#notes.length > 0 ? [this.#notes.join('\n')] : []),
    ].join('\n\n');
  }
}

function ms(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '-' : `${Math.round(milliseconds)} ms`;
}
