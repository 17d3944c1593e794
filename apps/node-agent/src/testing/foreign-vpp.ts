import type { Vpp } from '../dataplane/vpp/vpp-link.js';
import { inPrefix } from '../dataplane/address.js';
import type { Family } from '../dataplane/port.js';

const NONE = 0xffffffff;

type List = readonly [weight: number, ...sids: string[]];

export interface ForeignForm {
  readonly encapsulates?: boolean;
  readonly sprays?: boolean;
  readonly encapSource?: string;
  readonly table?: number;
}

/** Someone else who changes SRv6 in a VPP: an operator, or Calico-VPP's agent. */
export class ForeignVpp {
  constructor(readonly vpp: Vpp) {}

  async addPolicy(bsid: string, lists: readonly List[], form: ForeignForm = {}): Promise<void> {
    const { encapsulates = true, sprays = false, encapSource = 'fd00:7e57::1', table = 0 } = form;
    const [first, ...others] = lists;
    if (first === undefined) throw new RangeError('a policy needs a list');
    await this.vpp.call('sr_policy_add_v2', {
      bsid_addr: bsid,
      weight: first[0],
      is_encap: encapsulates,
      type: sprays ? 'SR_API_POLICY_TYPE_SPRAY' : 'SR_API_POLICY_TYPE_DEFAULT',
      fib_table: table,
      sids: sidList(first),
      encap_src: encapSource,
    });
    for (const list of others) await this.addList(bsid, list, encapSource);
  }

  async deletePolicy(bsid: string): Promise<void> {
    await this.vpp.call('sr_policy_del', { bsid_addr: bsid, sr_policy_index: NONE });
  }

  async addList(bsid: string, list: List, encapSource = 'fd00:7e57::1'): Promise<void> {
    await this.#modify(bsid, 'SR_POLICY_OP_API_ADD', NONE, list, encapSource);
  }

  /** @param position of the list in the policy */
  async deleteList(bsid: string, position: number): Promise<void> {
    await this.#modify(bsid, 'SR_POLICY_OP_API_DEL', await this.#number(bsid, position), [0], '::');
  }

  async reweigh(bsid: string, position: number, weight: number): Promise<void> {
    await this.#modify(bsid, 'SR_POLICY_OP_API_MOD', await this.#number(bsid, position), [weight], '::');
  }

  async steer(table: number, prefix: string, bsid: string): Promise<void> {
    await this.#steering(false, table, prefix, bsid);
  }

  async unsteer(table: number, prefix: string): Promise<void> {
    await this.#steering(true, table, prefix, '::');
  }

  async setTable(id: number, present: boolean): Promise<void> {
    for (const is_ip6 of [false, true]) {
      await this.vpp.call('ip_table_add_del', { is_add: present, table: { table_id: id, is_ip6, name: '' } });
    }
  }

  /** A route of the binary API: by the table where to look next, or into the void. */
  async route(table: number, prefix: string, to: { readonly table: number } | 'drop' | 'nowhere'): Promise<void> {
    const isIpv6 = prefix.includes(':');
    const path = {
      sw_if_index: NONE,
      table_id: typeof to === 'string' ? NONE : to.table,
      rpf_id: NONE,
      weight: 1,
      preference: 0,
      type: typeof to === 'string' ? ('FIB_API_PATH_TYPE_DROP' as const) : ('FIB_API_PATH_TYPE_NORMAL' as const),
      flags: 0,
      proto: isIpv6 ? ('FIB_API_PATH_NH_PROTO_IP6' as const) : ('FIB_API_PATH_NH_PROTO_IP4' as const),
      nh: { address: { ip6: '::' }, via_label: 0, obj_id: NONE, classify_table_index: NONE },
      n_labels: 0,
      label_stack: [],
    };
    const paths = to === 'nowhere' ? [] : [path];
    const route = { table_id: table, stats_index: 0, prefix, n_paths: paths.length, paths };
    await this.vpp.call('ip_route_add_del', { is_add: to !== 'nowhere', is_multipath: false, route });
  }

  /** A route out of an interface, as Calico-VPP has one for each pod. */
  async routeOut(table: number, prefix: string, interfaceIndex: number, nextHop: string): Promise<void> {
    const isIpv6 = prefix.includes(':');
    const path = {
      sw_if_index: interfaceIndex,
      table_id: 0,
      rpf_id: NONE,
      weight: 1,
      preference: 0,
      type: 'FIB_API_PATH_TYPE_NORMAL' as const,
      flags: 0,
      proto: isIpv6 ? ('FIB_API_PATH_NH_PROTO_IP6' as const) : ('FIB_API_PATH_NH_PROTO_IP4' as const),
      nh: {
        address: isIpv6 ? { ip6: nextHop } : { ip4: nextHop },
        via_label: 0,
        obj_id: NONE,
        classify_table_index: NONE,
      },
      n_labels: 0,
      label_stack: [],
    };
    const route = { table_id: table, stats_index: 0, prefix, n_paths: 1, paths: [path] };
    await this.vpp.call('ip_route_add_del', { is_add: true, is_multipath: false, route });
  }

  async localSid(sid: string, table: number, present: boolean): Promise<void> {
    await this.vpp.call('sr_localsid_add_del', {
      is_del: !present,
      localsid: sid,
      end_psp: false,
      behavior: 'SR_BEHAVIOR_API_END',
      sw_if_index: NONE,
      vlan_index: 0,
      fib_table: table,
      nh_addr: '::',
    });
  }

  /** A classifier table without the agent's mark, and its index. Its sessions drop. */
  async addClassifier(mask: Uint8Array, matches: readonly Uint8Array[], { next = NONE } = {}): Promise<number> {
    const { new_table_index: index } = await this.vpp.call('classify_add_del_table', {
      ...classifier(mask, next),
      current_data_flag: 1,
    });
    for (const match of matches) await this.setSession(index, match, true);
    return index;
  }

  async removeClassifier(index: number): Promise<void> {
    const request = classifier(new Uint8Array(16), NONE);
    await this.vpp.call('classify_add_del_table', { ...request, is_add: false, table_index: index });
  }

  /** Where packets go on that fit no session of a table. */
  async link(index: number, mask: Uint8Array, next: number): Promise<void> {
    await this.vpp.call('classify_add_del_table', { ...classifier(mask, next), table_index: index });
  }

  /** @param hitNext 0: drop */
  async setSession(table: number, match: Uint8Array, present: boolean, hitNext = 0): Promise<void> {
    const session = { is_add: present, table_index: table, hit_next_index: hitNext, match };
    await this.vpp.call('classify_add_del_session', session);
  }

  /** Takes every session out of a classifier table. */
  async clearClassifier(table: number): Promise<void> {
    for (const { match } of await this.vpp.dump('classify_session_dump', { table_id: table })) {
      await this.setSession(table, match, false);
    }
  }

  async setInputAcl(interfaceName: string, table: number, present: boolean, family: Family = 'ipv6'): Promise<void> {
    const all = await this.vpp.dump('sw_interface_dump', { name_filter_valid: false, name_filter: '' });
    await this.vpp.call('input_acl_set_interface', {
      sw_if_index: all.find(({ interface_name: name }) => name === interfaceName)?.sw_if_index ?? NONE,
      ip4_table_index: family === 'ipv4' ? table : NONE,
      ip6_table_index: family === 'ipv6' ? table : NONE,
      l2_table_index: NONE,
      is_add: present,
    });
  }

  /** What of SRv6 is there outside a block, to compare before and after: steering by its prefixes. */
  async inventory(block: string, prefixes: readonly string[]): Promise<unknown> {
    const isForeign = (address: string): boolean => !inPrefix(block)(address);
    const [policies, steerings, localSids] = await Promise.all([
      this.vpp.dump('sr_policies_v2_dump', {}),
      this.vpp.dump('sr_steering_pol_dump', {}),
      this.vpp.dump('sr_localsids_dump', {}),
    ]);
    return {
      policies: policies.filter(({ bsid }) => isForeign(bsid)),
      steerings: steerings.filter(({ bsid, prefix }) => isForeign(bsid) && prefixes.includes(prefix)),
      localSids: localSids.filter(({ addr }) => isForeign(addr)),
    };
  }

  async #number(bsid: string, position: number): Promise<number> {
    const policies = await this.vpp.dump('sr_policies_with_sl_index_dump', {});
    const list = policies.find((policy) => policy.bsid === bsid)?.sid_lists[position];
    if (list === undefined) throw new RangeError(`${bsid} has no list at ${position}`);
    return list.sl_index;
  }

  async #modify(
    bsid: string,
    operation: 'SR_POLICY_OP_API_ADD' | 'SR_POLICY_OP_API_DEL' | 'SR_POLICY_OP_API_MOD',
    slIndex: number,
    list: List,
    encapSource: string,
  ): Promise<void> {
    await this.vpp.call('sr_policy_mod_v2', {
      bsid_addr: bsid,
      sr_policy_index: NONE,
      fib_table: 0,
      operation,
      sl_index: slIndex,
      weight: list[0],
      sids: sidList(list),
      encap_src: encapSource,
    });
  }

  async #steering(is_del: boolean, table_id: number, prefix: string, bsid_addr: string): Promise<void> {
    const traffic_type = prefix.includes(':') ? ('SR_STEER_API_IPV6' as const) : ('SR_STEER_API_IPV4' as const);
    await this.vpp.call('sr_steering_add_del', {
      is_del,
      bsid_addr,
      sr_policy_index: NONE,
      table_id,
      prefix,
      sw_if_index: NONE,
      traffic_type,
    });
  }
}

function classifier(mask: Uint8Array, next: number) {
  return { is_add: true, del_chain: false, match_n_vectors: mask.length / 16, next_table_index: next, mask };
}

function sidList([weight, ...sids]: List) {
  return { num_sids: sids.length, weight, sids };
}
