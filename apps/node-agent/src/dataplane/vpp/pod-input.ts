import type { Family } from '../port.js';
import { NO_TABLE, readClassifiers, removeClassifier, type Classifier } from './classifiers.js';
import { EDGE_MARK, layEdgeTables } from './edge-tables.js';
import type { VppInterface } from './interfaces.js';
import { readPlacedInterfaces, setInputAcl, tablesOfPods, type PlacedInterface } from './pod-interfaces.js';
import type { VppSettings } from './settings.js';
import {
  effectiveSessions,
  laySourceTables,
  readSourceSessions,
  removeSession,
  SOURCE_MARKS,
  type SourceSession,
  type SourceTables,
} from './source-tables.js';
import type { Vpp } from './vpp-link.js';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** What packets of pods are held against, by input ACLs: VPP knows one for each family of an interface. */
interface Wanted {
  /** Classifier table that they meet first; NO_TABLE: none. */
  readonly first: Readonly<Record<Family, number>>;
  readonly tables: readonly number[];
  readonly hasEdge: boolean;
  readonly hasSources: Readonly<Record<Family, boolean>>;
}

/**
 * Lays the chain of classifier tables that packets of pods meet as they come in, and leads every interface where pods are to
 * it, where it is missing: first what keeps packets with a routing header out, whatever their destination (RFC 8754 §5.1), if
 * there are edge blocks; then the sources of service classes, if there are sessions for any. What is wanted no more goes,
 * also from an interface that is no pod's any more.
 *
 * Tables are complete before the first packet meets them, and met by none any more when they go. Returns what it could not
 * do, a sentence each.
 */
export async function layPodInput(
  vpp: Vpp,
  settings: Pick<VppSettings, 'edgeBlocks' | 'table'>,
  interfaces: readonly VppInterface[],
): Promise<readonly string[]> {
  const tables = await readClassifiers(vpp);
  const own = tables.filter(({ mark }) => isOurs(mark));
  if (settings.edgeBlocks.length === 0 && own.length === 0) return [];
  const sessions = await tidySessions(vpp, await readSourceSessions(vpp, own));
  const wanted = await layTables(vpp, own, sessions, settings.edgeBlocks.length > 0);
  const placed = await readPlacedInterfaces(vpp, interfaces);
  const known = new Set([...wanted.tables, ...own.map(({ index }) => index)]);
  const complaints = await Promise.all(
    FAMILIES.map((family) => layInputAcls(vpp, family, wanted, placed, known, settings.table)),
  );
  return [...complaints.flat(), ...(await removeSurplus(vpp, tables, wanted, sessions))];
}

function isOurs(mark: number): boolean {
  return mark === EDGE_MARK || SOURCE_MARKS.has(mark);
}

/** Removes sessions that are not ours or that no packet meets. Returns the others. */
async function tidySessions(vpp: Vpp, sessions: readonly SourceSession[]): Promise<readonly SourceSession[]> {
  const effective = new Set(effectiveSessions(sessions));
  await Promise.all(sessions.filter((one) => !effective.has(one)).map((one) => removeSession(vpp, one)));
  return [...effective];
}

async function layTables(
  vpp: Vpp,
  own: readonly Classifier[],
  sessions: readonly SourceSession[],
  hasEdge: boolean,
): Promise<Wanted> {
  const laySources = async (family: Family): Promise<SourceTables | null> =>
    sessions.some((session) => session.family === family) ? laySourceTables(vpp, own, family) : null;
  const [ipv4, ipv6] = [await laySources('ipv4'), await laySources('ipv6')];
  const behindEdge = ipv6?.front ?? NO_TABLE;
  const edge: readonly number[] = hasEdge ? await layEdgeTables(vpp, own, behindEdge) : [];
  return {
    first: { ipv4: ipv4?.front ?? NO_TABLE, ipv6: edge[0] ?? behindEdge },
    tables: [ipv4, ipv6].flatMap((pair) => (pair === null ? [] : [pair.front, pair.back])).concat(edge),
    hasEdge,
    hasSources: { ipv4: ipv4 !== null, ipv6: ipv6 !== null },
  };
}

async function layInputAcls(
  vpp: Vpp,
  family: Family,
  { first, hasEdge, hasSources }: Wanted,
  placed: readonly PlacedInterface[],
  known: ReadonlySet<number>,
  podsTable: number,
): Promise<readonly string[]> {
  const chain = first[family];
  const podTables = chain === NO_TABLE ? new Set<number>() : await tablesOfPods(vpp, placed, podsTable, family);
  // VPP holds packets against one input ACL per interface, and takes a second without a word and without effect.
  const isObstructed = ({ of }: PlacedInterface): boolean => {
    const { table, inputAcl } = of[family];
    return podTables.has(table) && inputAcl !== NO_TABLE && !known.has(inputAcl);
  };
  await Promise.all(
    placed
      .filter((one) => !isObstructed(one))
      .flatMap(({ index, of }) => {
        const { table, inputAcl, filters } = of[family];
        const wanted = podTables.has(table) ? chain : NO_TABLE;
        if (inputAcl === wanted && (filters || wanted === NO_TABLE)) return [];
        return [
          ...(known.has(inputAcl) ? [setInputAcl(vpp, index, family, inputAcl, false)] : []),
          ...(wanted === NO_TABLE ? [] : [setInputAcl(vpp, index, family, wanted, true)]),
        ];
      }),
  );
  const obstructed = placed.filter(isObstructed);
  if (obstructed.length === 0) return [];
  return [
    ...(hasEdge && family === 'ipv6' ? [obstructionOf('pods may send routing headers', family, obstructed)] : []),
    ...(hasSources[family] ? [obstructionOf(`pods are in no service class for ${family}`, family, obstructed)] : []),
  ];
}

function obstructionOf(what: string, family: Family, interfaces: readonly PlacedInterface[]): string {
  const [first] = interfaces;
  const { name = '', of } = first ?? {};
  const which = interfaces.length === 1 ? name : `${interfaces.length} interfaces, the first of them ${name},`;
  const ip = family === 'ipv4' ? 'ip4' : 'ip6';
  return (
    `${what} through ${which}: another input ACL is there; ` +
    `take it off: set interface input acl intfc ${name} ${ip}-table ${of?.[family].inputAcl ?? NO_TABLE} del`
  );
}

/** Tables that nothing leads to any more. A table that goes with its sessions would hold their FIB tables for good. */
async function removeSurplus(
  vpp: Vpp,
  tables: readonly Classifier[],
  wanted: Wanted,
  sessions: readonly SourceSession[],
): Promise<readonly string[]> {
  const surplus = tables.filter(({ mark, index }) => isOurs(mark) && !wanted.tables.includes(index));
  const indices = new Set(surplus.map(({ index }) => index));
  const leading = tables.find(({ mark, next }) => !isOurs(mark) && indices.has(next));
  if (leading !== undefined) {
    const why = `classifier table ${leading.index} leads to table ${leading.next}, which should go, and VPP would crash`;
    return [`${why}; take it out of the chain first`];
  }
  await Promise.all(
    sessions.filter(({ classifier }) => indices.has(classifier)).map((session) => removeSession(vpp, session)),
  );
  // A new table takes the index that was freed last, and those behind are made first: so each gets its old one again.
  const next = new Map(surplus.map((table) => [table.index, table.next]));
  const following = (index: number, most = surplus.length): number =>
    most === 0 || !next.has(index) ? 0 : 1 + following(next.get(index) ?? NO_TABLE, most - 1);
  const ordered = [...surplus].sort((a, b) => following(b.index) - following(a.index));
  await Promise.all(ordered.map(({ index }) => removeClassifier(vpp, index)));
  return [];
}
