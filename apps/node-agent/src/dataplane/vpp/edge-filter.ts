import { readPlacedInterfaces, setInputAcl, tablesOfPods, type PlacedInterface } from './edge-interfaces.js';
import { layEdgeTables, NO_TABLE, readEdgeTables, removeEdgeTables } from './edge-tables.js';
import type { VppInterface } from './interfaces.js';
import type { VppSettings } from './settings.js';
import type { Vpp } from './vpp-link.js';

/**
 * Keeps packets with a routing header, whatever their destination, from coming in where pods are (RFC 8754 §5.1): an input
 * ACL on each of those interfaces, made anew where it is missing. Without edge blocks it takes everything of ours away,
 * and so from an interface that is no pod's any more, where such packets may be transit traffic.
 *
 * Tables are complete before the first packet meets them, and met by none any more when they go. Returns what it could not
 * do, a sentence each.
 */
export async function layEdgeFilter(
  vpp: Vpp,
  { edgeBlocks, table }: Pick<VppSettings, 'edgeBlocks' | 'table'>,
  interfaces: readonly VppInterface[],
): Promise<readonly string[]> {
  const tables = await readEdgeTables(vpp);
  const isWanted = edgeBlocks.length > 0;
  if (!isWanted && tables.own.length === 0) return [];
  const kept: readonly number[] = isWanted ? await layEdgeTables(vpp, tables) : [];
  const own = new Set([...kept, ...tables.own.map(({ index }) => index)]);
  const placed = await readPlacedInterfaces(vpp, interfaces);
  const podTables = isWanted ? await tablesOfPods(vpp, placed, table) : new Set<number>();
  const [first = NO_TABLE] = kept;
  const obstructed = placed.filter((one) => podTables.has(one.table) && isForeign(one, own));
  await Promise.all(
    placed
      .filter((one) => !obstructed.includes(one))
      .flatMap(({ index, table: ofPackets, inputAcl, filters }) => {
        const wanted = podTables.has(ofPackets) ? first : NO_TABLE;
        if (inputAcl === wanted && (filters || wanted === NO_TABLE)) return [];
        return [
          ...(own.has(inputAcl) ? [setInputAcl(vpp, index, inputAcl, false)] : []),
          ...(wanted === NO_TABLE ? [] : [setInputAcl(vpp, index, wanted, true)]),
        ];
      }),
  );
  const complaints = obstructed.length === 0 ? [] : [obstructionOf(obstructed)];
  const surplus = tables.own.filter(({ index }) => !kept.includes(index));
  if (surplus.length === 0) return complaints;
  const leading = tables.leadingToOwn.find(({ next }) => !kept.includes(next));
  if (leading !== undefined) {
    const why = `classifier table ${leading.index} leads to table ${leading.next}, which should go, and VPP would crash`;
    return [...complaints, `${why}; take it out of the chain first`];
  }
  await removeEdgeTables(vpp, surplus);
  return complaints;
}

/** VPP holds packets against one input ACL per interface, and takes a second without a word and without effect. */
function isForeign({ inputAcl }: PlacedInterface, own: ReadonlySet<number>): boolean {
  return inputAcl !== NO_TABLE && !own.has(inputAcl);
}

function obstructionOf(interfaces: readonly PlacedInterface[]): string {
  const [first] = interfaces;
  const { name = '', inputAcl = NO_TABLE } = first ?? {};
  const which = interfaces.length === 1 ? name : `${interfaces.length} interfaces, the first of them ${name},`;
  return (
    `pods may send routing headers through ${which}: another input ACL is there; ` +
    `take it off: set interface input acl intfc ${name} ip6-table ${inputAcl} del`
  );
}
