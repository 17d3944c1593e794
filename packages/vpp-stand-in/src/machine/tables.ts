import { TableSet } from './fib.js';

/** VPP gives this id to the tables it makes for itself. */
const INTERNAL = 0xffffffff;

/** The IPv4 and IPv6 tables, with the two that SR makes for its BSIDs: both IPv6, both shown by ip_table_dump. */
export class Tables {
  readonly ipv4 = new TableSet('ipv4');
  readonly ipv6 = new TableSet('ipv6');
  #hiddenSlots: readonly number[] | undefined;

  /**
   * ip_table_add_del: 0 is ignored; adding twice needs one deletion; a table goes however many routes it holds, but not as
   * long as classifier sessions lead to it.
   */
  addOrDelete(isAdd: boolean, id: number, isIpv6: boolean, name: string): void {
    if (id === 0) return;
    const set = isIpv6 ? this.ipv6 : this.ipv4;
    if (isAdd) set.holdByApi(id, name);
    else set.releaseByApi(id);
  }

  createHiddenTables(): void {
    this.#hiddenSlots ??= ['IP6', 'IP4'].map((family) =>
      this.ipv6.create(INTERNAL, `SRv6 steering of ${family} prefixes through BSIDs`),
    );
  }

  destroyHiddenTables(): void {
    for (const slot of this.#hiddenSlots ?? []) this.ipv6.destroySlot(slot);
    this.#hiddenSlots = undefined;
  }
}
