import type { Demand } from '../model/overlay.js';
import type { LinkId, NodeId } from '../model/ted.js';
import { prove } from '../proof/prove.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { finalEndSid, serviceFamilies, serviceSidOf } from './owned-sids.js';

/** Bandwidth in bit/s per directed link, rounded up, sorted by link. */
export type DemandLoad = readonly { readonly linkId: LinkId; readonly bandwidthBps: number }[];

/**
 * What a demand takes of each link: all of it on named ones; between two nodes, the share that the even splits of the
 * IGP's shortest paths send there. null: the IGP does not deliver it, so that it takes nothing. Links and nodes that the
 * snapshot lacks are passed over.
 */
export function demandLoad(snapshot: Snapshot, demand: Demand): DemandLoad | null {
  if ('links' in demand) {
    const known = [...new Set(demand.links)].filter((link) => snapshot.arcOf(link) >= 0).sort();
    return known.map((linkId) => ({ linkId, bandwidthBps: demand.bandwidthBps }));
  }
  const shares = igpShares(snapshot, demand.source, demand.destination);
  return (
    shares?.map(({ linkId, share }) => ({
      linkId,
      bandwidthBps: Math.ceil(share * demand.bandwidthBps - ROUNDING),
    })) ?? null
  );
}

/** Shares that add up to 1 may do so only to within a few units in the last place. */
const ROUNDING = 1e-3;

/** How traffic without any policy reaches a node: by its own SID, else behind that of the nearest router it hangs off. */
function igpShares(snapshot: Snapshot, source: NodeId, destination: NodeId) {
  const node = snapshot.nodeIndexOf(destination);
  if (node < 0) return null;
  if (!snapshot.isHost(node)) return delivered(snapshot, source, destination, [finalEndSid(snapshot, node)])?.load;
  const [family] = serviceFamilies(snapshot, node);
  if (family === undefined) return null;
  const service = serviceSidOf(snapshot, node, family);
  const direct = delivered(snapshot, source, destination, [service]);
  if (direct !== undefined) return direct.load;
  const routers = new Set(snapshot.linksInto(node).map((arc) => snapshot.data.arcFrom[arc] as number));
  const behind = [...routers]
    .sort((a, b) => a - b)
    .flatMap((router) => delivered(snapshot, source, destination, [finalEndSid(snapshot, router), service]) ?? []);
  return behind.reduce<(typeof behind)[number] | undefined>(
    (best, proof) => (best !== undefined && best.worst.igp <= proof.worst.igp ? best : proof),
    undefined,
  )?.load;
}

function delivered(snapshot: Snapshot, headend: NodeId, destination: NodeId, sids: readonly (number | undefined)[]) {
  if (sids.includes(undefined)) return undefined;
  const texts = (sids as readonly number[]).map((sid) => snapshot.sidTextOf(sid));
  const proof = prove(snapshot, texts, { headend, destination });
  return proof.ok ? proof : undefined;
}
