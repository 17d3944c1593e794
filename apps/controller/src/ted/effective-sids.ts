import type { Locator, Sid } from '@waymark/topology';
import type { Provenance } from '../model/topology.js';
import { compareText, type LocatorRow, type SidRow } from './ted-rows.js';

/*
 * Several sources may speak of a node's SIDs: a file that planned them, an agent that owns them, an operator who
 * confirmed them. For each purpose that a SID serves, anything known beats anything planned; among the known, the source
 * that spoke last decides alone, so that a restarted host's old service SIDs do not linger beside its new ones.
 */

/** The SIDs of one node that are in force, by behavior, link and address. */
export function effectiveSids(rows: readonly SidRow[]): readonly SidRow[] {
  const bySid = new Map<string, SidRow>();
  for (const row of inForce(
    rows,
    (row) => purposesOf(row.sid),
    (row) => row.sid.origin,
  )) {
    const other = bySid.get(row.sid.sid);
    if (other === undefined || goesBefore(row, other)) bySid.set(row.sid.sid, row);
  }
  return [...bySid.values()].sort(
    ({ sid: a }, { sid: b }) =>
      compareText(a.behavior, b.behavior) ||
      compareText(a.linkId ?? '', b.linkId ?? '') ||
      a.algorithm - b.algorithm ||
      compareText(a.sid, b.sid),
  );
}

/** Of two rows for one SID the one that spoke last; at the same revision by what is the same whatever their order. */
function goesBefore(a: SidRow, b: SidRow): boolean {
  if (a.fromRevision !== b.fromRevision) return a.fromRevision > b.fromRevision;
  return (compareText(speakerOf(a), speakerOf(b)) || compareText(a.sid.behavior, b.sid.behavior)) < 0;
}

/** The locators of one node that are in force, by algorithm and prefix. */
export function effectiveLocators(rows: readonly LocatorRow[]): readonly LocatorRow[] {
  return [
    ...inForce(
      rows,
      ({ locator }) => [String(locator.algorithm)],
      ({ locator }) => locator.origin,
    ),
  ].sort(({ locator: a }, { locator: b }) => a.algorithm - b.algorithm || compareText(a.prefix, b.prefix));
}

/** A list has one provenance: that of the row that changed it last. */
export function listProvenance(rows: readonly (SidRow | LocatorRow)[]): Provenance | undefined {
  const [first, ...rest] = rows;
  if (first === undefined) return undefined;
  const { layer, source, fromRevision } = rest.reduce((a, b) => (b.fromRevision > a.fromRevision ? b : a), first);
  return { layer, source, revision: fromRevision };
}

function purposesOf(sid: Sid): readonly string[] {
  switch (sid.behavior) {
    case 'End':
      return [`End ${sid.algorithm}`];
    case 'End.X':
      return [`End.X ${sid.linkId ?? ''} ${sid.algorithm}`];
    case 'End.DT4':
      return ['ipv4'];
    case 'End.DT6':
      return ['ipv6'];
    case 'End.DT46':
      return ['ipv4', 'ipv6'];
  }
}

interface Word {
  readonly speaker: string;
  readonly known: boolean;
  readonly revision: number;
}

function inForce<Row extends SidRow | LocatorRow>(
  rows: readonly Row[],
  purposes: (row: Row) => readonly string[],
  origin: (row: Row) => Locator['origin'],
): readonly Row[] {
  const last = new Map<string, Word>();
  for (const row of rows) {
    const word = { speaker: speakerOf(row), known: origin(row) !== 'planned', revision: row.fromRevision };
    for (const purpose of purposes(row)) {
      const before = last.get(purpose);
      if (before === undefined || overrules(word, before)) last.set(purpose, word);
    }
  }
  return rows.filter((row) => purposes(row).some((purpose) => last.get(purpose)?.speaker === speakerOf(row)));
}

function speakerOf({ layer, source }: SidRow | LocatorRow): string {
  return `${layer} ${source}`;
}

function overrules(a: Word, b: Word): boolean {
  if (a.known !== b.known) return a.known;
  return a.revision === b.revision ? a.speaker < b.speaker : a.revision > b.revision;
}
