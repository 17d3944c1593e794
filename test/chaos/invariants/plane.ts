import type { Step, SteeredPrefix, Tunnel, TunnelAction } from '../../../apps/node-agent/src/dataplane/port.js';
import { wantedEntry, tunnelsOf } from '../../../apps/node-agent/src/reconcile/desired-entry.js';

/** What a data plane holds when it has done the steps that were traced. */
export class Plane {
  /** By binding SID. */
  readonly tunnels = new Map<string, TunnelAction>();
  /** Binding SIDs by steered prefix. */
  readonly steering = new Map<string, string>();

  do(step: Step): void {
    switch (step.kind) {
      case 'put-tunnel':
        this.tunnels.set(step.tunnel.bsid, step.tunnel.action);
        for (const prefix of step.steer) this.steering.set(prefixText(prefix), step.tunnel.bsid);
        return;
      case 'unsteer':
        this.steering.delete(prefixText(step));
        return;
      case 'remove-tunnel':
        this.tunnels.delete(step.bsid);
        return;
      default:
        // Agents of this suite have no local SIDs, probes or service classes.
        throw new Error(`nobody asked for ${step.kind}`);
    }
  }
}

export function prefixText({ prefix, color }: Pick<SteeredPrefix, 'prefix' | 'color'>): string {
  return color === null ? prefix : `${prefix} of class ${color}`;
}

/** The tunnels of a published body. */
export function tunnelsIn(policyId: string, body: Uint8Array): readonly Tunnel[] {
  return tunnelsOf(wantedEntry(policyId, 0, body));
}

/** Where a data plane differs from what was published for it. */
export function* differences(
  plane: Plane,
  desired: readonly { readonly policy_id: string; readonly body: Uint8Array }[],
): Generator<string> {
  const bsids = new Set<string>();
  const prefixes = new Set<string>();
  for (const { policy_id, body } of desired) {
    for (const tunnel of tunnelsIn(policy_id, body)) {
      for (const prefix of tunnel.steeredPrefixes) prefixes.add(prefixText(prefix));
      bsids.add(tunnel.bsid).add(tunnel.alternateBsid);
      if (!holds(plane, tunnel)) yield `${policy_id} is not there as published (${tunnel.family})`;
    }
  }
  for (const bsid of plane.tunnels.keys()) if (!bsids.has(bsid)) yield `a tunnel with BSID ${bsid} that nobody wants`;
  for (const prefix of plane.steering.keys())
    if (!prefixes.has(prefix)) yield `${prefix} is steered and nobody wants it`;
}

function holds(plane: Plane, { bsid, alternateBsid, action, steeredPrefixes }: Tunnel): boolean {
  return [bsid, alternateBsid].some(
    (slot) =>
      isSame(plane.tunnels.get(slot), action) &&
      steeredPrefixes.every((prefix) => plane.steering.get(prefixText(prefix)) === slot),
  );
}

export function isSame(a: TunnelAction | undefined, b: TunnelAction): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
