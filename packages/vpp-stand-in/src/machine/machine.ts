import { Classifiers } from './classifiers.js';
import { InputAcls } from './input-acls.js';
import { Interfaces } from './interfaces.js';
import type { InterfaceSpec } from './interfaces.js';
import { SrLocalsids } from './sr-localsids.js';
import { SrPolicies } from './sr-policies.js';
import { SrSteering } from './sr-steering.js';
import { Tables } from './tables.js';

/** A table that is there from the start, as if startup.conf or another agent had made it. Table 0 always is. */
export interface TableSpec {
  readonly id: number;
  readonly family: 'ipv4' | 'ipv6';
  readonly name?: string;
}

/** Everything that a VPP process holds in memory and that a request can see or change. No I/O, clock or randomness. */
export class Machine {
  readonly tables = new Tables();
  readonly interfaces: Interfaces;
  readonly policies: SrPolicies;
  readonly steering: SrSteering;
  readonly localsids: SrLocalsids;
  readonly classifiers = new Classifiers(this.tables);
  readonly inputAcls: InputAcls;
  /** Each sr_localsids_with_packet_stats_dump leaks a vector in VPP. */
  leakedDumps = 0;

  constructor(tables: readonly TableSpec[], interfaces: readonly InterfaceSpec[]) {
    for (const { id, family, name } of tables) this.tables.addOrDelete(true, id, family === 'ipv6', name ?? '');
    this.interfaces = new Interfaces(interfaces);
    this.policies = new SrPolicies(this.tables);
    this.steering = new SrSteering(this.tables, this.policies, this.interfaces);
    this.localsids = new SrLocalsids(this.tables, this.interfaces);
    this.inputAcls = new InputAcls(this.interfaces, this.classifiers);
  }

  /** VPP drops its two BSID tables with the last policy and steering. */
  dropUnusedHiddenTables(): void {
    if (this.policies.pool.size === 0 && this.steering.pool.size === 0) this.tables.destroyHiddenTables();
  }
}
