import { describe, expect, it } from 'vitest';
import type { BuiltinCalls } from '../builtin/messages.js';
import { builtinDefinitions } from '../builtin/typed.js';
import { bytes } from '../testing/raw-server.js';

// Where the fields of SR messages are in the message, written by hand from VPP 26.06; nothing here is computed from the
// definitions.

const HEADER = { id: 0x0102, clientIndex: 0x03040506, context: 0x0708090a };
const HEADER_BYTES = '0102 03040506 0708090a';
const BSID = 'cafe::b51';
const BSID_BYTES = 'cafe000000000000 0000000000000b51';
const SOURCE = 'fd00::5';
const SOURCE_BYTES = 'fd00000000000000 0000000000000005';
const NO_ADDRESS = '00'.repeat(16);
/** 261 bytes: count, weight, 16 addresses. */
const SIDS = { num_sids: 2, weight: 0x11223344, sids: ['fcff:6::1', 'fcdd:0:1::4'] };
const SIDS_BYTES = `02 11223344 fcff0006000000000000000000000001 fcdd0000000100000000000000000004 ${NO_ADDRESS.repeat(14)}`;

interface Golden<Name extends keyof BuiltinCalls> {
  readonly name: Name;
  readonly crc: string;
  readonly values: BuiltinCalls[Name]['request'];
  readonly length: number;
  /** After the header of ten bytes. */
  readonly body: string;
}

function golden<Name extends keyof BuiltinCalls>(message: Golden<Name>): Golden<keyof BuiltinCalls> {
  return message;
}

const messages = [
  golden({
    name: 'sr_policy_add',
    crc: '44ac92e8',
    values: { bsid_addr: BSID, weight: 7, is_encap: true, is_spray: false, fib_table: 0x0a0b0c0d, sids: SIDS },
    length: 297,
    body: `${BSID_BYTES} 00000007 01 00 0a0b0c0d ${SIDS_BYTES}`,
  }),
  golden({
    name: 'sr_policy_add_v2',
    crc: 'f6297f36',
    values: {
      bsid_addr: BSID,
      weight: 7,
      is_encap: true,
      type: 'SR_API_POLICY_TYPE_SPRAY',
      fib_table: 0x0a0b0c0d,
      sids: SIDS,
      encap_src: SOURCE,
    },
    length: 313,
    body: `${BSID_BYTES} 00000007 01 01 0a0b0c0d ${SIDS_BYTES} ${SOURCE_BYTES}`,
  }),
  golden({
    name: 'sr_policy_mod',
    crc: 'b97bb56e',
    values: {
      bsid_addr: BSID,
      sr_policy_index: 3,
      fib_table: 4,
      operation: 'SR_POLICY_OP_API_DEL',
      sl_index: 5,
      weight: 6,
      sids: SIDS,
    },
    length: 304,
    body: `${BSID_BYTES} 00000003 00000004 02 00000005 00000006 ${SIDS_BYTES}`,
  }),
  golden({
    name: 'sr_policy_mod_v2',
    crc: 'c0544823',
    values: {
      bsid_addr: BSID,
      sr_policy_index: 3,
      fib_table: 4,
      operation: 'SR_POLICY_OP_API_ADD',
      sl_index: 5,
      weight: 6,
      sids: SIDS,
      encap_src: SOURCE,
    },
    length: 320,
    body: `${BSID_BYTES} 00000003 00000004 01 00000005 00000006 ${SIDS_BYTES} ${SOURCE_BYTES}`,
  }),
  golden({
    name: 'sr_policy_del',
    crc: 'cb4d48d5',
    values: { bsid_addr: BSID, sr_policy_index: 0xffffffff },
    length: 30,
    body: `${BSID_BYTES} ffffffff`,
  }),
  golden({
    name: 'sr_steering_add_del',
    crc: 'e46b0a0f',
    values: {
      is_del: false,
      bsid_addr: BSID,
      sr_policy_index: 0xffffffff,
      table_id: 2,
      prefix: '10.244.8.0/26',
      sw_if_index: 0xffffffff,
      traffic_type: 'SR_STEER_API_IPV4',
    },
    length: 58,
    body: `00 ${BSID_BYTES} ffffffff 00000002 00 0af40800 ${'00'.repeat(12)} 1a ffffffff 04`,
  }),
  golden({
    name: 'sr_steering_add_del',
    crc: 'e46b0a0f',
    values: {
      is_del: true,
      bsid_addr: BSID,
      sr_policy_index: 1,
      table_id: 0,
      prefix: 'fd40:0:1::/64',
      sw_if_index: 9,
      traffic_type: 'SR_STEER_API_IPV6',
    },
    length: 58,
    body: `01 ${BSID_BYTES} 00000001 00000000 01 fd400000000100000000000000000000 40 00000009 06`,
  }),
  golden({
    name: 'sr_localsid_add_del',
    crc: '5a36c324',
    values: {
      is_del: false,
      localsid: 'fcdd::4',
      end_psp: true,
      behavior: 'SR_BEHAVIOR_API_X',
      sw_if_index: 3,
      vlan_index: 0,
      fib_table: 5,
      nh_addr: '192.0.2.9',
    },
    length: 58,
    body: `00 fcdd0000000000000000000000000004 01 02 00000003 00000000 00000005 00 c0000209 ${'00'.repeat(12)}`,
  }),
  golden({
    name: 'sr_localsid_add_del_v2',
    crc: '8da7805a',
    values: {
      is_del: true,
      localsid: 'fcdd::4',
      end_psp: false,
      behavior: 'SR_BEHAVIOR_API_END_UN',
      vlan_index: 0,
      fib_table: 0,
      nh_addr: '::',
      locator_block_len: 32,
      locator_node_len: 16,
      function_len: 16,
    },
    length: 61,
    // sw_if_index is left out: its default is ~0
    body: `01 fcdd0000000000000000000000000004 00 0c ffffffff 00000000 00000000 01 ${NO_ADDRESS} 20 10 10`,
  }),
  golden({
    name: 'sr_set_encap_source',
    crc: 'd3bad5e1',
    values: { encaps_source: SOURCE },
    length: 26,
    body: SOURCE_BYTES,
  }),
  golden({ name: 'sr_set_encap_hop_limit', crc: 'aa75d7d0', values: { hop_limit: 64 }, length: 11, body: '40' }),
];

describe('a request', () => {
  it.each(messages)('$name is $length bytes, each in its place', ({ name, crc, values, length, body }) => {
    const codec = builtinDefinitions.message(name);
    const encoded = codec.encode(HEADER, values);
    expect(encoded.toString('hex')).toBe(bytes(HEADER_BYTES, body).toString('hex'));
    expect(encoded.length).toBe(length);
    expect(codec.key).toBe(`${name}_${crc}`);
  });

  it.each([
    'sr_localsids_dump',
    'sr_localsids_with_packet_stats_dump',
    'sr_policies_dump',
    'sr_policies_v2_dump',
    'sr_policies_with_sl_index_dump',
    'sr_steering_pol_dump',
  ])('%s is ten bytes', (name) => {
    const codec = builtinDefinitions.message(name);
    expect(codec.encode(HEADER, {}).toString('hex')).toBe(bytes(HEADER_BYTES).toString('hex'));
    expect(codec.key).toBe(`${name}_51077d14`);
  });
});

describe('details', () => {
  const DETAILS_HEADER = '0102 0708090a';
  const decode = (name: string, body: string): unknown =>
    builtinDefinitions.message(name).decode(bytes(DETAILS_HEADER, body));
  const addresses = ['fcff:6::1', 'fcdd:0:1::4', ...Array.from({ length: 14 }, () => '::')];

  it('sr_policies_v2_details has its lists behind their number', () => {
    expect(
      decode('sr_policies_v2_details', `${BSID_BYTES} ${SOURCE_BYTES} 00 01 00000009 02 ${SIDS_BYTES} ${SIDS_BYTES}`),
    ).toEqual({
      bsid: BSID,
      encap_src: SOURCE,
      type: 'SR_API_POLICY_TYPE_DEFAULT',
      is_encap: true,
      fib_table: 9,
      num_sid_lists: 2,
      sid_lists: [1, 2].map(() => ({ num_sids: 2, weight: 0x11223344, sids: addresses })),
    });
    expect(builtinDefinitions.message('sr_policies_v2_details').key).toBe('sr_policies_v2_details_96dcb699');
  });

  it('sr_policies_with_sl_index_details has an index in each list, of 265 bytes', () => {
    const list = SIDS_BYTES.replace('11223344', '11223344 00000077');
    expect(bytes(list).length).toBe(265);
    expect(decode('sr_policies_with_sl_index_details', `${BSID_BYTES} 00 01 00000009 01 ${list}`)).toEqual({
      bsid: BSID,
      is_spray: false,
      is_encap: true,
      fib_table: 9,
      num_sid_lists: 1,
      sid_lists: [{ num_sids: 2, weight: 0x11223344, sl_index: 0x77, sids: addresses }],
    });
    expect(builtinDefinitions.message('sr_policies_with_sl_index_details').key).toBe(
      'sr_policies_with_sl_index_details_ca2e9bc8',
    );
  });

  it('sr_steering_pol_details is 49 bytes; a default route of IPv6 looks like one of IPv4', () => {
    const body = `06 00000002 00 ${NO_ADDRESS} 00 ffffffff ${BSID_BYTES}`;
    expect(bytes(DETAILS_HEADER, body).length).toBe(49);
    expect(decode('sr_steering_pol_details', body)).toEqual({
      traffic_type: 'SR_STEER_API_IPV6',
      fib_table: 2,
      prefix: '0.0.0.0/0',
      sw_if_index: 0xffffffff,
      bsid: BSID,
    });
    expect(builtinDefinitions.message('sr_steering_pol_details').key).toBe('sr_steering_pol_details_d41258c9');
  });

  it('sr_localsids_with_packet_stats_details is 85 bytes, its counters bigints', () => {
    const body = `${SOURCE_BYTES} 00 09 00000000 00000000 01 ${NO_ADDRESS} 00000007 ${[1, 2, 3, 4]
      .map((count) => `000000000000000${count}`)
      .join('')}`;
    expect(bytes(DETAILS_HEADER, body).length).toBe(85);
    expect(decode('sr_localsids_with_packet_stats_details', body)).toEqual({
      addr: SOURCE,
      end_psp: false,
      behavior: 'SR_BEHAVIOR_API_DT4',
      fib_table: 0,
      vlan_index: 0,
      xconnect_nh_addr: '::',
      xconnect_iface_or_vrf_table: 7,
      good_traffic_bytes: 1n,
      good_traffic_pkt_count: 2n,
      bad_traffic_bytes: 3n,
      bad_traffic_pkt_count: 4n,
    });
    expect(builtinDefinitions.message('sr_localsids_with_packet_stats_details').key).toBe(
      'sr_localsids_with_packet_stats_details_ce0b1ce0',
    );
  });
});
