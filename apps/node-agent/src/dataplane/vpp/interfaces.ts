import type { InterfaceCounters } from '../port.js';
import type { InterfaceNames } from './local-sids.js';
import type { Vpp } from './vpp-link.js';

export interface VppInterface {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  /** False: packets come without an Ethernet header in front (tun, IP tunnels). */
  readonly ethernet: boolean;
  readonly vlan: boolean;
}

const ADMIN_UP = 1;

export async function readInterfaces(vpp: Vpp): Promise<readonly VppInterface[]> {
  const all = await vpp.dump('sw_interface_dump', { name_filter_valid: false, name_filter: '' });
  return all.map((one) => ({
    index: one.sw_if_index,
    name: one.interface_name,
    up: (one.flags & ADMIN_UP) !== 0,
    ethernet: one.type !== 'IF_API_TYPE_HARDWARE' || one.l2_address !== '00:00:00:00:00:00',
    vlan: one.sub_outer_vlan_id > 0,
  }));
}

export async function readInterfaceNames(vpp: Vpp): Promise<InterfaceNames> {
  return new Map((await readInterfaces(vpp)).map(({ index, name }) => [index, name]));
}

/**
 * SRH entries that H.Encaps may write in front of packets: VPP has 128 bytes of headroom, checks nothing, and overwrites
 * its own metadata beyond. 5 for packets that come with an Ethernet header, 4 for those without, one less when a VLAN tag
 * is pushed on the way out.
 */
export function headroomMsd(interfaces: readonly VppInterface[]): number {
  const inUse = interfaces.filter(({ up }) => up);
  return 5 - Number(inUse.some(({ ethernet }) => !ethernet)) - Number(inUse.some(({ vlan }) => vlan));
}

/** Interface counters are in VPP's shared memory and in its CLI, and not in the binary API. */
export async function readInterfaceCounters(vpp: Vpp): Promise<readonly InterfaceCounters[]> {
  const { reply } = await vpp.call('cli_inband', { cmd: 'show interface' });
  return parseInterfaceCounters(reply);
}

/**
 * The text of `show interface`: a line per interface (name, index, state, MTU) on which the first counter follows, others
 * below it. States are up, down, up/punt, down/punt and error. Counters that are 0 are left out.
 */
export function parseInterfaceCounters(text: string): readonly InterfaceCounters[] {
  const counters: { -readonly [K in keyof InterfaceCounters]: InterfaceCounters[K] }[] = [];
  for (const line of text.split('\n')) {
    const head = /^(\S+)\s+\d+\s+(\S+)\s+\d+\/\d+\/\d+\/\d+(\s|$)/.exec(line);
    if (head !== null) {
      const [, name = '', state = ''] = head;
      const none = { rxBytes: 0, rxPackets: 0, txBytes: 0, txPackets: 0, drops: 0 };
      counters.push({ name, up: state === 'up' || state.startsWith('up/'), ...none });
    }
    const [, counter = '', value] = /\s(rx packets|rx bytes|tx packets|tx bytes|drops)\s+(\d+)\s*$/.exec(line) ?? [];
    const field = FIELDS[counter];
    const last = counters.at(-1);
    if (field !== undefined && last !== undefined) last[field] = Number(value);
  }
  return counters;
}

const FIELDS: Readonly<Record<string, Exclude<keyof InterfaceCounters, 'name' | 'up'>>> = {
  'rx packets': 'rxPackets',
  'rx bytes': 'rxBytes',
  'tx packets': 'txPackets',
  'tx bytes': 'txBytes',
  drops: 'drops',
};
