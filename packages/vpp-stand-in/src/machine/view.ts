import { formatAddress } from './address.js';
import type { Family } from './address.js';
import type { RouteSource, RouteTarget } from './fib.js';
import { bestTarget } from './fib.js';
import { ipv4Of } from './ip46.js';
import type { Machine } from './machine.js';
import type { LocalsidCounters } from './sr-localsids.js';
import { TRAFFIC } from './sr-steering.js';

/** Everything below is a copy: addresses as RFC 5952 text, numbers as in the API. */
export interface SegmentListView {
  readonly slIndex: number;
  readonly weight: number;
  /** Hash buckets as last programmed; 0 starves. */
  readonly buckets: number;
  readonly segments: readonly string[];
  readonly encapSource: string;
  readonly hopLimit: number;
}

export interface PolicyView {
  readonly bsid: string;
  readonly type: number;
  readonly isEncap: boolean;
  readonly fibTable: number;
  readonly lists: readonly SegmentListView[];
}

export interface SteeringView {
  readonly trafficType: number;
  readonly tableId: number;
  /** `address/length`, host bits kept; empty for L2. */
  readonly prefix: string;
  readonly swIfIndex: number;
  /** BSID found in the policy slot, as a dump shows it: stale or another policy's when `isDangling`. */
  readonly bsid: string;
  /** True when the slot is free. A slot taken by another policy looks healthy; compare with `route()`. */
  readonly isDangling: boolean;
}

export interface LocalsidView {
  readonly address: string;
  readonly prefixLength: number;
  readonly behavior: number;
  readonly endPsp: boolean;
  readonly fibTable: number;
  readonly interfaceOrTable: number | undefined;
  readonly counters: LocalsidCounters;
}

export interface TableView {
  readonly id: number;
  readonly family: Family;
  readonly name: string;
  readonly routes: readonly RouteView[];
}

export interface RouteView {
  readonly prefix: string;
  readonly source: RouteSource;
  readonly target: RouteTarget;
}

export function policiesOf(machine: Machine): readonly PolicyView[] {
  const { pool, lists } = machine.policies;
  return [...pool.live()].map(([, policy]) => ({
    bsid: formatAddress(policy.bsid),
    type: policy.type,
    isEncap: policy.isEncap !== 0,
    fibTable: policy.fibTable,
    lists: policy.lists.values().flatMap((slIndex) => {
      const list = lists.at(slIndex);
      if (list === undefined) return [];
      const buckets = policy.forwarding.find((share) => share.slIndex === slIndex)?.buckets ?? 0;
      return [
        {
          slIndex,
          weight: list.weight,
          buckets,
          segments: list.segments.map((segment) => formatAddress(segment)),
          encapSource: formatAddress(list.encapSource),
          hopLimit: list.hopLimit,
        },
      ];
    }),
  }));
}

export function steeringsOf(machine: Machine): readonly SteeringView[] {
  const { pool } = machine.policies;
  return [...machine.steering.pool.live()].map(([, steering]) => {
    const address = steering.trafficType === TRAFFIC.ipv4 ? ipv4Of(steering.prefix) : steering.prefix;
    return {
      trafficType: steering.trafficType,
      tableId: steering.tableId,
      prefix: steering.trafficType === TRAFFIC.l2 ? '' : `${formatAddress(address)}/${String(steering.length)}`,
      swIfIndex: steering.swIfIndex,
      bsid: formatAddress(pool.at(steering.policySlot)?.bsid ?? Buffer.alloc(16)),
      isDangling: pool.isFree(steering.policySlot),
    };
  });
}

export function localsidsOf(machine: Machine): readonly LocalsidView[] {
  return [...machine.localsids.pool.live()].map(([, localsid]) => ({
    address: formatAddress(localsid.address),
    prefixLength: localsid.prefixLength,
    behavior: localsid.behavior,
    endPsp: localsid.endPsp !== 0,
    fibTable: localsid.fibTable,
    interfaceOrTable: localsid.interfaceOrTable,
    counters: localsid.counters,
  }));
}

export function tablesOf(machine: Machine): readonly TableView[] {
  return [...machine.tables.ipv4.all(), ...machine.tables.ipv6.all()].map(({ id, family, name, routes }) => ({
    id,
    family,
    name,
    routes: [...routes.values()].map((route) => ({
      prefix: `${formatAddress(route.prefix)}/${String(route.length)}`,
      ...bestTarget(route),
    })),
  }));
}
