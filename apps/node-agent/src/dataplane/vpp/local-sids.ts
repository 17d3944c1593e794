import type { SrBehavior } from '@waymark/vpp-api';
import type { LocalSid } from '../port.js';
import type { VppSettings } from './settings.js';
import type { VppLocalSid } from './vpp-state.js';

/** The behaviors that an agent may own here, in VPP's words. Above 13 there are only plugins', and VPP dies without them. */
const BEHAVIORS: Readonly<Record<string, SrBehavior>> = {
  End: 'SR_BEHAVIOR_API_END',
  'End.X': 'SR_BEHAVIOR_API_X',
  'End.DT4': 'SR_BEHAVIOR_API_DT4',
  'End.DT6': 'SR_BEHAVIOR_API_DT6',
  // NEXT-C-SID with a 32-bit block and 16-bit SIDs: VPP takes the /48 for it.
  uN: 'SR_BEHAVIOR_API_END_UN',
};

export const LOCAL_SID_BEHAVIORS: readonly string[] = Object.keys(BEHAVIORS);

/** Interface names by their numbers in this VPP. */
export type InterfaceNames = ReadonlyMap<number, string>;

/** The table of all our local SIDs and binding SIDs. */
export const SID_TABLE = 0;

/** A local SID that was found, as the port knows it: in another form than we would write, by a description. */
export function localSidFound(found: VppLocalSid, settings: VppSettings, interfaces: InterfaceNames): LocalSid {
  const { sid } = found;
  const name = Object.keys(BEHAVIORS).find((candidate) => BEHAVIORS[candidate] === found.behavior);
  const isOurs = found.table === SID_TABLE && !found.endPsp;
  if (name === undefined || !isOurs) return { sid, behavior: describe(name, found) };
  if (name === 'End.X') {
    return { sid, behavior: name, via: `${found.nextHop}%${interfaces.get(found.interfaceOrTable) ?? '?'}` };
  }
  const decapsulates = name === 'End.DT4' || name === 'End.DT6';
  if (decapsulates && found.interfaceOrTable !== settings.decapTable) return { sid, behavior: describe(name, found) };
  return { sid, behavior: name };
}

/** The request that adds a local SID. Throws RangeError when VPP has no such interface. */
export function additionOf(localSid: LocalSid, { decapTable }: VppSettings, interfaces: InterfaceNames) {
  const behavior = BEHAVIORS[localSid.behavior];
  if (behavior === undefined) throw new RangeError(`the agent cannot own a local SID of behavior ${localSid.behavior}`);
  const base = { localsid: localSid.sid, end_psp: false, behavior, vlan_index: 0, fib_table: SID_TABLE };
  switch (localSid.behavior) {
    case 'End.X': {
      const [nextHop = '', name = ''] = (localSid.via ?? '').split('%');
      const index = [...interfaces].find(([, candidate]) => candidate === name)?.[0];
      if (index === undefined) throw new RangeError(`VPP has no interface "${name}"`);
      return { ...base, sw_if_index: index, nh_addr: nextHop };
    }
    case 'End.DT4':
    case 'End.DT6':
      return { ...base, sw_if_index: decapTable, nh_addr: '::' };
    default:
      return { ...base, sw_if_index: NO_INTERFACE, nh_addr: '::' };
  }
}

/** The request that deletes it: VPP finds it by behavior too, and takes the route out of the table that is named. */
export function removalOf(found: VppLocalSid) {
  const crossConnects = found.behavior === 'SR_BEHAVIOR_API_X';
  return {
    is_del: true,
    localsid: found.sid,
    end_psp: found.endPsp,
    behavior: found.behavior,
    sw_if_index: crossConnects ? found.interfaceOrTable : NO_INTERFACE,
    vlan_index: 0,
    fib_table: found.table,
    nh_addr: '::',
  };
}

const NO_INTERFACE = 0xffffffff;

function describe(name: string | undefined, { behavior, table, endPsp, interfaceOrTable }: VppLocalSid): string {
  const what = `${name ?? `behavior ${behavior}`}${endPsp ? ' with PSP' : ''}`;
  return `${what} in table ${table}, into ${interfaceOrTable}`;
}
