import type { SegmentList, Tunnel } from '../dataplane/port.js';
import { canonicalLists } from '../dataplane/segment-lists.js';
import type { JudgedLiveness } from '../liveness/probe-engine.js';
import type { WantedTunnel } from './desired-entry.js';

/** What is known when the lists of a tunnel are chosen. */
export interface ChoiceFacts {
  readonly livenessOf: (list: SegmentList) => JudgedLiveness;
  /** Texts of the SIDs of the lists that the tunnel's packets may take now. */
  readonly installed: ReadonlySet<string>;
  /** Whether the data plane can hold the tunnel. */
  readonly fits: (tunnel: Tunnel) => boolean;
}

/**
 * The tunnel as it should be now:
 *
 * - of its own lists, those that are not down, with their weights;
 * - when all are down and a standby list is known to be up, the standby lists that are not down;
 * - when nothing is known to be up, its own lists, all of them: silence tears nothing down.
 *
 * A list whose probes have not had their time to tell (`settling`: after a restart, or just come into the policy) stays
 * as it is found while the tunnel forwards by lists of this policy: in use when it is in use, else not. Where it forwards
 * by none of them yet, such a list is used like any other.
 */
export function effectiveTunnel(wanted: WantedTunnel, { livenessOf, installed, fits }: ChoiceFacts): Tunnel {
  const { standbyLists, ...tunnel } = wanted;
  const { action } = tunnel;
  if (action.kind === 'drop') return tunnel;
  const own = action.segmentLists;
  const isOnItsWay = [...own, ...standbyLists].some((list) => installed.has(list.sids.join()));
  const isInUse = (list: SegmentList) => installed.has(list.sids.join());
  const isUsable = (list: SegmentList) => {
    const liveness = livenessOf(list);
    if (liveness === 'settling') return !isOnItsWay || isInUse(list);
    return liveness !== 'down';
  };
  const isSure = (list: SegmentList) => {
    const liveness = livenessOf(list);
    return liveness === 'up' || (liveness === 'settling' && isInUse(list));
  };
  const withLists = (lists: readonly SegmentList[]): Tunnel => ({
    ...tunnel,
    action: { kind: 'encapsulate', segmentLists: canonicalLists(lists) },
  });

  const usable = own.filter(isUsable);
  if (usable.length > 0) return usable.length === own.length ? tunnel : withLists(usable);
  if (!standbyLists.some(isSure)) return tunnel;
  const standby = withLists(standbyLists.filter(isUsable));
  return fits(standby) ? standby : tunnel;
}
