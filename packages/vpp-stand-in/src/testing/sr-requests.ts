import type { Field, RawClient } from './raw-client.js';
import { ip6, u32 } from './raw-client.js';

/*
 * The SR requests that most tests need, laid out by the offsets of the API: policies with H.Encaps in table 0, steering
 * of IPv6 prefixes. Segments and BSIDs are written as the hexadecimal of an address.
 */

export const BSID_A = ip6(0xb, 1);
export const BSID_B = ip6(0xb, 2);

/** 2001:db8:5::n */
export const sid = (n: number): string => ip6(5, n);

/** srv6_sid_list at `offset`: u8 num_sids, u32 weight, sids. */
export function list(offset: number, weight: number, ...sids: readonly string[]): readonly Field[] {
  return [
    [offset, sids.length.toString(16).padStart(2, '0')],
    [offset + 1, u32(weight)],
    ...sids.map((each, index): Field => [offset + 5 + index * 16, each]),
  ];
}

export function addPolicy(
  client: RawClient,
  bsid: string,
  weight: number,
  ...sids: readonly string[]
): Promise<number> {
  return client.retval('sr_policy_add_44ac92e8', 297, [10, bsid], [30, '01'], ...list(36, weight, ...sids));
}

export function deletePolicy(client: RawClient, bsid: string): Promise<number> {
  return client.retval('sr_policy_del_cb4d48d5', 30, [10, bsid]);
}

export function addList(client: RawClient, bsid: string, weight: number, ...sids: readonly string[]): Promise<number> {
  return client.retval('sr_policy_mod_b97bb56e', 304, [10, bsid], [34, '01'], ...list(43, weight, ...sids));
}

export function deleteList(client: RawClient, bsid: string, slIndex: number): Promise<number> {
  return client.retval('sr_policy_mod_b97bb56e', 304, [10, bsid], [34, '02'], [35, u32(slIndex)]);
}

export function changeWeight(client: RawClient, bsid: string, slIndex: number, weight: number): Promise<number> {
  return client.retval('sr_policy_mod_b97bb56e', 304, [10, bsid], [34, '03'], [35, u32(slIndex)], ...list(43, weight));
}

export interface Steer {
  readonly isDelete?: boolean;
  readonly table?: number;
  /** Hexadecimal of the address, and its family. */
  readonly address: string;
  readonly family?: 4 | 6;
  readonly length: number;
  readonly traffic?: number;
}

export function steer(client: RawClient, bsid: string, what: Steer): Promise<number> {
  const { isDelete = false, table = 0, address, family = 6, length, traffic = family } = what;
  return client.retval(
    'sr_steering_add_del_e46b0a0f',
    58,
    [10, isDelete ? '01' : '00'],
    [11, bsid],
    [31, u32(table)],
    [35, family === 6 ? '01' : '00'],
    [36, address],
    [52, length.toString(16).padStart(2, '0')],
    [57, traffic.toString(16).padStart(2, '0')],
  );
}

export interface LocalsidAsk {
  readonly isDelete?: boolean;
  readonly address: string;
  readonly behavior: number;
  /** sw_if_index, which is the inner table of DT4, DT6 and T. */
  readonly interfaceOrTable?: number;
  readonly fibTable?: number;
}

export function localsid(client: RawClient, ask: LocalsidAsk): Promise<number> {
  const { isDelete = false, address, behavior, interfaceOrTable = 0xffffffff, fibTable = 0 } = ask;
  return client.retval(
    'sr_localsid_add_del_5a36c324',
    58,
    [10, isDelete ? '01' : '00'],
    [11, address],
    [28, behavior.toString(16).padStart(2, '0')],
    [29, u32(interfaceOrTable)],
    [37, u32(fibTable)],
  );
}

/** ip_table_add_del_v2: table_id@10 is_ip6@14 name@15 create_mfib@79 is_add@80. */
export function table(client: RawClient, id: number, isIpv6: boolean, isAdd = true): Promise<number> {
  return client.retval(
    'ip_table_add_del_v2_14e5081f',
    81,
    [10, u32(id)],
    [14, isIpv6 ? '01' : '00'],
    [80, isAdd ? '01' : '00'],
  );
}
