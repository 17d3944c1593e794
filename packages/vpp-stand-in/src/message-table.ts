/** Name and CRC of every message that is served, from the API definitions of VPP 26.06. */
const SERVED: readonly (readonly [name: string, crc: string])[] = [
  // memclnt
  ['sockclnt_create', '455fb9c4'],
  ['sockclnt_create_reply', '35166268'],
  ['sockclnt_delete', '8ac76db6'],
  ['sockclnt_delete_reply', '8f38b1ee'],
  ['control_ping', '51077d14'],
  ['control_ping_reply', 'f6b0b8ca'],
  ['get_api_json', '51077d14'],
  ['get_api_json_reply', 'ea715b59'],
  // vlib and vpe
  ['cli_inband', 'f8377302'],
  ['cli_inband_reply', '05879051'],
  ['show_version', '51077d14'],
  ['show_version_reply', 'c919bde1'],
  ['show_vpe_system_time', '51077d14'],
  ['show_vpe_system_time_reply', '7ffd8193'],
  // interface
  ['sw_interface_dump', 'aa610c27'],
  ['sw_interface_details', '6c221fc7'],
  ['sw_interface_get_table', '2d033de4'],
  ['sw_interface_get_table_reply', 'a6eb0109'],
  // classify
  ['classify_add_del_table', '6849e39e'],
  ['classify_add_del_table_reply', '05486349'],
  ['classify_add_del_session', 'f20879f0'],
  ['classify_add_del_session_reply', 'e8d4e804'],
  ['classify_table_ids', '51077d14'],
  ['classify_table_ids_reply', 'd1d20e1d'],
  ['classify_table_by_interface', 'f9e6675e'],
  ['classify_table_by_interface_reply', 'ed4197db'],
  ['classify_table_info', '0cca2cd9'],
  ['classify_table_info_reply', '4a573c0e'],
  ['classify_session_dump', '0cca2cd9'],
  ['classify_session_details', '60e3ef94'],
  ['input_acl_set_interface', 'de7ad708'],
  ['input_acl_set_interface_reply', 'e8d4e804'],
  // ip
  ['ip_table_add_del', '0ffdaec0'],
  ['ip_table_add_del_reply', 'e8d4e804'],
  ['ip_table_add_del_v2', '14e5081f'],
  ['ip_table_add_del_v2_reply', 'e8d4e804'],
  ['ip_table_dump', '51077d14'],
  ['ip_table_details', 'c79fca0f'],
  ['ip_route_add_del', 'b8ecfe0d'],
  ['ip_route_add_del_reply', '1992deab'],
  ['ip_route_add_del_v2', '521ef330'],
  ['ip_route_add_del_v2_reply', '1992deab'],
  ['ip_route_lookup', '710d6471'],
  ['ip_route_lookup_reply', '5d8febcb'],
  ['ip_route_dump', 'b9d2e09e'],
  ['ip_route_details', 'bda8f315'],
  ['ip_route_v2_dump', 'd16f72e6'],
  ['ip_route_v2_details', 'b09aa6c0'],
  // sr
  ['sr_localsid_add_del', '5a36c324'],
  ['sr_localsid_add_del_reply', 'e8d4e804'],
  ['sr_localsid_add_del_v2', '8da7805a'],
  ['sr_localsid_add_del_v2_reply', 'e8d4e804'],
  ['sr_policy_add', '44ac92e8'],
  ['sr_policy_add_reply', 'e8d4e804'],
  ['sr_policy_mod', 'b97bb56e'],
  ['sr_policy_mod_reply', 'e8d4e804'],
  ['sr_policy_add_v2', 'f6297f36'],
  ['sr_policy_add_v2_reply', 'e8d4e804'],
  ['sr_policy_mod_v2', 'c0544823'],
  ['sr_policy_mod_v2_reply', 'e8d4e804'],
  ['sr_policy_del', 'cb4d48d5'],
  ['sr_policy_del_reply', 'e8d4e804'],
  ['sr_set_encap_source', 'd3bad5e1'],
  ['sr_set_encap_source_reply', 'e8d4e804'],
  ['sr_set_encap_hop_limit', 'aa75d7d0'],
  ['sr_set_encap_hop_limit_reply', 'e8d4e804'],
  ['sr_steering_add_del', 'e46b0a0f'],
  ['sr_steering_add_del_reply', 'e8d4e804'],
  ['sr_localsids_dump', '51077d14'],
  ['sr_localsids_details', '2e9221b9'],
  ['sr_localsids_with_packet_stats_dump', '51077d14'],
  ['sr_localsids_with_packet_stats_details', 'ce0b1ce0'],
  ['sr_policies_dump', '51077d14'],
  ['sr_policies_details', 'db6ff2a1'],
  ['sr_policies_v2_dump', '51077d14'],
  ['sr_policies_v2_details', '96dcb699'],
  ['sr_policies_with_sl_index_dump', '51077d14'],
  ['sr_policies_with_sl_index_details', 'ca2e9bc8'],
  ['sr_steering_pol_dump', '51077d14'],
  ['sr_steering_pol_details', 'd41258c9'],
];

/** The handshake must work before the table is known, so that its ids never change. */
const FIXED_IDS: Readonly<Record<string, number>> = {
  sockclnt_create: 15,
  sockclnt_create_reply: 16,
  sockclnt_delete: 17,
  sockclnt_delete_reply: 18,
};

export interface MessageTableOptions {
  /** Messages that this VPP does not have. */
  readonly omitMessages?: readonly string[];
  /** Messages whose definition differs: name to CRC of eight hex digits. */
  readonly changedCrcs?: Readonly<Record<string, string>>;
  /** How many messages of other plugins are in the table too; a real VPP has some 2,000 of them. */
  readonly otherMessages?: number;
}

export interface TableEntry {
  readonly id: number;
  /** `name_crc`, as on the wire. */
  readonly key: string;
}

/**
 * The ids of one life of VPP. All but the four fixed ones are shuffled by `seed`, where the real VPP only moves them in
 * blocks: a client that knows an id from elsewhere must not get away with it.
 */
export class MessageTable {
  readonly entries: readonly TableEntry[];
  readonly #idByName = new Map<string, number>();
  readonly #nameById = new Map<number, string>();

  constructor(seed: number, options: MessageTableOptions = {}) {
    const { omitMessages = [], changedCrcs = {}, otherMessages = 2000 } = options;
    const served = SERVED.filter(([name]) => !omitMessages.includes(name));
    const others = Array.from(
      { length: otherMessages },
      (_, index) => [`other_plugin_message_${String(index)}`, '51077d14'] as const,
    );
    const random = randomFrom(seed);
    const base = 100 + Math.floor(random() * 400);
    const free = shuffle(
      Array.from({ length: served.length + others.length }, (_, index) => base + index),
      random,
    );
    const all = [...served, ...others].map(([name, crc], index) => {
      const id = FIXED_IDS[name] ?? free[index] ?? 0;
      this.#idByName.set(name, id);
      this.#nameById.set(id, name);
      return { id, key: `${name}_${changedCrcs[name] ?? crc}` };
    });
    this.entries = shuffle(all, random);
  }

  /** @throws Error for a message that is not in the table: the stand-in itself is wrong then. */
  idOf(name: string): number {
    const id = this.#idByName.get(name);
    if (id === undefined) throw new Error(`no such message: ${name}`);
    return id;
  }

  nameOf(id: number): string | undefined {
    return this.#nameById.get(id);
  }
}

/** mulberry32: numbers in [0, 1), the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffle<T>(values: readonly T[], random: () => number): readonly T[] {
  const keyed = values.map((value) => ({ value, key: random() }));
  return keyed.sort((left, right) => left.key - right.key).map(({ value }) => value);
}
