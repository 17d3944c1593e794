import type { ClassSource, Family, LocalSid, SegmentList, Step, SteeredPrefix, TunnelAction } from '../port.js';
import { classRuleText } from './class-rules.js';
import { classTable, familyOf } from './class-tables.js';
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
  const rule = (source: ClassSource, command: 'add' | 'del'): BatchLine => ({
    family: familyOf(source),
    text: `rule ${command} ${classRuleText(source, settings)}`,
    step,
  });
  const markIn = (table: number) => `table ${table} metric ${settings.metric} proto ${settings.protocol}`;
  const mark = markIn(settings.table);
  const probeMark = markIn(settings.probeTable);
  const markOf = ({ color }: SteeredPrefix) => (color === null ? mark : markIn(classTable(color, settings)));
  switch (step.kind) {
    case 'put-tunnel': {
      const { family, action } = step.tunnel;
      return step.steer.map((steered) =>
        // `add` refuses to join a route that someone else wrote since we looked; `replace` would take it over.
        line(
          family,
          `${steered.replaces ? 'replace' : 'add'} ${routeText(steered.prefix, markOf(steered), family, action, settings)}`,
        ),
      );
    }
    case 'unsteer':
      return [line(step.family, `del ${step.prefix} ${markOf(step)}`)];
    case 'put-local-sid':
      return [line('ipv6', `${step.replaces ? 'replace' : 'add'} ${localSidText(step.localSid, mark, settings)}`)];
    case 'remove-local-sid':
      return [line('ipv6', `del ${step.localSid.sid}/128 ${mark}`)];
    case 'remove-stray':
      return [{ family: step.stray.family, text: step.stray.id, step }];
    case 'put-probe-route': {
      const { address, sids } = step.route;
      const nexthop = nexthopText({ weight: 1, sids }, 'ipv6', settings);
      return [line('ipv6', `${step.replaces ? 'replace' : 'add'} ${address}/128 ${nexthop} ${probeMark}`)];
    }
    case 'remove-probe-route':
      return [line('ipv6', `del ${step.route.address}/128 ${probeMark}`)];
    case 'put-class-source':
      return [rule(step.source, 'add')];
    case 'remove-class-source':
      return [rule(step.source, 'del')];
    case 'remove-tunnel':
      throw new Error(`the Linux kernel data plane does not ${step.kind}`);
  }
}

/**
 * The line that takes a source out of the class that it leaves, once the rule of its new class is there. Until then a
 * packet meets the old class first and, where that has no route, the new one: what either class does with it.
 */
export function leavingLine(step: Step, settings: LinuxSettings): BatchLine | null {
  if (step.kind !== 'put-class-source' || step.replaces === null) return null;
  const left = { ...step.source, color: step.replaces };
  return { family: familyOf(left), text: `rule del ${classRuleText(left, settings)}`, step };
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
