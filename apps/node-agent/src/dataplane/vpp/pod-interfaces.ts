import { VppRetvalError } from '@waymark/vpp-api';
import type { Family } from '../port.js';
import { NO_TABLE } from './classifiers.js';
import type { VppInterface } from './interfaces.js';
import { SID_TABLE } from './local-sids.js';
import { DEFAULT_ROUTES } from './default-route.js';
import { isLookedUpIn } from './routes.js';
import type { Vpp } from './vpp-link.js';

const NO_SUCH_INTERFACE = -2;

/** Where packets of an interface go first. */
export interface PlacedInterface {
  readonly index: number;
  readonly name: string;
  readonly of: Readonly<Record<Family, Placing>>;
}

/** Of one family. */
export interface Placing {
  /** FIB table, by id. */
  readonly table: number;
  /** Classifier table of its input ACL; NO_TABLE: it has none. */
  readonly inputAcl: number;
  /**
   * Whether packets are held against it. VPP keeps what it knows of an input ACL when the interface is deleted, and the
   * next one with the same index shows it although no packet gets there.
   */
  readonly filters: boolean;
}

/** Interfaces that go away meanwhile are left out. */
export async function readPlacedInterfaces(
  vpp: Vpp,
  interfaces: readonly VppInterface[],
): Promise<readonly PlacedInterface[]> {
  const placed = await Promise.all(
    interfaces.map(({ index, name }) =>
      unlessGone(async (): Promise<PlacedInterface> => {
        const [features, ipv4, ipv6, acls] = await Promise.all([
          vpp.call('cli_inband', { cmd: `show interface features ${name}` }),
          vpp.call('sw_interface_get_table', { sw_if_index: index, is_ipv6: false }),
          vpp.call('sw_interface_get_table', { sw_if_index: index, is_ipv6: true }),
          vpp.call('classify_table_by_interface', { sw_if_index: index }),
        ]);
        const placing = (family: Family, table: number, inputAcl: number): Placing => ({
          table,
          inputAcl,
          filters: hasInputAcl(features.reply, family),
        });
        return {
          index,
          name,
          of: {
            ipv4: placing('ipv4', ipv4.vrf_id, acls.ip4_table_id),
            ipv6: placing('ipv6', ipv6.vrf_id, acls.ip6_table_id),
          },
        };
      }),
    ),
  );
  return placed.filter((one) => one !== undefined);
}

/**
 * The text of `show interface features`: the name of each arc, below it what is on, and an empty line. The binary API
 * tells features from 25.06 on only.
 */
export function hasInputAcl(features: string, family: Family): boolean {
  const ip = family === 'ipv4' ? 'ip4' : 'ip6';
  const arc = new RegExp(`^${ip}-unicast:\\r?\\n((?: .*\\r?\\n?)*)`, 'm').exec(features)?.[1] ?? '';
  return new RegExp(`^\\s*${ip}-inacl\\s*$`, 'm').test(arc);
}

/**
 * The tables whose packets are looked up in the pods' table, at once or by way of their default route, as those of a pod
 * beside Calico-VPP are. Never that of the SR domain.
 */
export async function tablesOfPods(
  vpp: Vpp,
  interfaces: readonly PlacedInterface[],
  podsTable: number,
  family: Family,
): Promise<ReadonlySet<number>> {
  const others = [...new Set(interfaces.map(({ of }) => of[family].table))].filter((table) => table !== podsTable);
  const leading = await Promise.all(
    others.map(
      async (table) => table !== SID_TABLE && (await isLookedUpIn(vpp, DEFAULT_ROUTES[family], table, podsTable)),
    ),
  );
  return new Set([podsTable, ...others.filter((_, at) => leading[at])]);
}

export async function setInputAcl(
  vpp: Vpp,
  index: number,
  family: Family,
  classifier: number,
  isAdd: boolean,
): Promise<void> {
  await unlessGone(() =>
    vpp.call('input_acl_set_interface', {
      sw_if_index: index,
      ip4_table_index: family === 'ipv4' ? classifier : NO_TABLE,
      ip6_table_index: family === 'ipv6' ? classifier : NO_TABLE,
      l2_table_index: NO_TABLE,
      is_add: isAdd,
    }),
  );
}

async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof VppRetvalError && error.retval === NO_SUCH_INTERFACE) return undefined;
    throw error;
  }
}
