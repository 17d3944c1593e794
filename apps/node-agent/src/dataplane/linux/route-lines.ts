import type { Family, LocalSid, SegmentList, Step, TunnelAction } from '../port.js';
import { modeName, type LinuxSettings } from './settings.js';

/** One line of an `ip -batch`, and the step it is part of. */
export interface BatchLine {
  readonly family: Family;
  readonly text: string;
  readonly step: Step;
}

/**
 * IPv6 builds a multipath route only of nexthops with a gateway. Any will do: the packet is encapsulated before the
 * gateway would be looked at.
 */
const NOMINAL_GATEWAY = 'fe80::1';

/**
 * What the kernel does for a local SID of a behavior. It has End.DT4 and End.DT46 only with a VRF. End.DX4 to 0.0.0.0
 * decapsulates and looks the inner destination up in the main table, which is what End.DT4 would do there.
 */
export const LOCAL_SID_ACTIONS: Readonly<Record<string, string>> = {
  End: 'End',
  'End.DT4': 'End.DX4 nh4 0.0.0.0',
  'End.DT6': 'End.DT6 table 254',
};

/** The lines that carry a step out. */
export function linesOf(step: Step, settings: LinuxSettings): readonly BatchLine[] {
  const line = (family: Family, text: string): BatchLine => ({ family, text: `route ${text}`, step });
  const mark = `table ${settings.table} metric ${settings.metric} proto ${settings.protocol}`;
  const probeMark = `table ${settings.probeTable} metric ${settings.metric} proto ${settings.protocol}`;
  switch (step.kind) {
    case 'put-tunnel': {
      const { family, action } = step.tunnel;
      return step.steer.map(({ prefix, replaces }) =>
        // `add` refuses to join a route that someone else wrote since we looked; `replace` would take it over.
        line(family, `${replaces ? 'replace' : 'add'} ${routeText(prefix, mark, family, action, settings)}`),
      );
    }
    case 'unsteer':
      return [line(step.family, `del ${step.prefix} ${mark}`)];
    case 'put-local-sid':
      return [line('ipv6', `${step.replaces ? 'replace' : 'add'} ${localSidText(step.localSid, mark, settings)}`)];
    case 'remove-local-sid':
      return [line('ipv6', `del ${step.localSid.sid}/128 ${mark}`)];
    case 'remove-stray':
      return [line(step.stray.family, `del ${step.stray.id}`)];
    case 'put-probe-route': {
      const { address, sids } = step.route;
      const nexthop = nexthopText({ weight: 1, sids }, 'ipv6', settings);
      return [line('ipv6', `${step.replaces ? 'replace' : 'add'} ${address}/128 ${nexthop} ${probeMark}`)];
    }
    case 'remove-probe-route':
      return [line('ipv6', `del ${step.route.address}/128 ${probeMark}`)];
    case 'put-class-source':
    case 'remove-class-source':
    case 'remove-tunnel':
      throw new Error(`the Linux kernel data plane does not ${step.kind}`);
  }
}

function routeText(prefix: string, mark: string, family: Family, action: TunnelAction, settings: LinuxSettings) {
  if (action.kind === 'drop') return `blackhole ${prefix} ${mark}`;
  const [only, ...others] = action.segmentLists;
  if (only !== undefined && others.length === 0) return `${prefix} ${mark} ${nexthopText(only, family, settings)}`;
  const nexthops = action.segmentLists.map(
    (list) => `nexthop ${nexthopText(list, family, settings)} weight ${list.weight}`,
  );
  return `${prefix} ${mark} ${nexthops.join(' ')}`;
}

function nexthopText({ sids }: SegmentList, family: Family, { encapMode, device }: LinuxSettings): string {
  const via = family === 'ipv6' ? ` via ${NOMINAL_GATEWAY}` : '';
  return `encap seg6 mode ${modeName(encapMode)} segs ${sids.join(',')}${via} dev ${device}`;
}

function localSidText({ sid, behavior }: LocalSid, mark: string, { device }: LinuxSettings): string {
  const action = LOCAL_SID_ACTIONS[behavior];
  if (action === undefined) throw new Error(`no local SID action for ${behavior}`);
  return `${sid}/128 encap seg6local action ${action} count dev ${device} ${mark}`;
}
