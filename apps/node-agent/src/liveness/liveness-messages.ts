import { Family, Liveness as WireLiveness, type ListLiveness, type LivenessReport } from '@waymark/agent-protocol';
import { parseAddress } from '../dataplane/address.js';
import type { ListReport } from './path-liveness.js';

/** Lists of one message: with the longest lists there are, far below the limit of gRPC. */
const LISTS_PER_MESSAGE = 1_000;

const wireLiveness = { unknown: WireLiveness.UNKNOWN, up: WireLiveness.UP, down: WireLiveness.DOWN } as const;

/** What the controller was told last of each list, as far as it must hear of a change at once. */
export type Told = ReadonlyMap<string, string>;

/** All lists, in as many messages as it takes; only the first says that it begins a complete report. */
export function completeReport(lists: readonly ListReport[]): readonly LivenessReport[] {
  const first: LivenessReport = { lists: [], complete: true };
  const [head = first, ...others] = inMessages(lists);
  return [{ ...head, complete: true }, ...others];
}

/** The lists whose state or use is not what was told. */
export function changesReport(lists: readonly ListReport[], told: Told): readonly LivenessReport[] {
  return inMessages(lists.filter((list) => told.get(nameOf(list)) !== stateOf(list)));
}

export function toldOf(lists: readonly ListReport[]): Told {
  return new Map(lists.map((list) => [nameOf(list), stateOf(list)]));
}

function inMessages(lists: readonly ListReport[]): LivenessReport[] {
  const messages: LivenessReport[] = [];
  for (let start = 0; start < lists.length; start += LISTS_PER_MESSAGE) {
    messages.push({ lists: lists.slice(start, start + LISTS_PER_MESSAGE).map(messageOf), complete: false });
  }
  return messages;
}

function nameOf({ policyId, family, standby, sids }: ListReport): string {
  return `${policyId} ${family} ${standby} ${sids.join()}`;
}

function stateOf({ inUse, probed }: ListReport): string {
  return `${inUse} ${probed?.liveness ?? 'unknown'}`;
}

function messageOf({ policyId, family, sids, standby, inUse, probed }: ListReport): ListLiveness {
  return {
    policyId,
    family: family === 'ipv4' ? Family.IPV4 : Family.IPV6,
    sids: sids.map(parseAddress),
    standby,
    inUse,
    state: wireLiveness[probed?.liveness ?? 'unknown'],
    sinceMs: probed?.sinceMs ?? 0,
    probesSent: probed?.probesSent ?? 0,
    probesLost: probed?.probesLost ?? 0,
    roundTripMinUs: probed?.roundTripMinUs ?? 0,
    roundTripAvgUs: probed?.roundTripAvgUs ?? 0,
    roundTripMaxUs: probed?.roundTripMaxUs ?? 0,
  };
}
