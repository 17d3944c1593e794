import { VppRetvalError } from '@waymark/vpp-api';
import type { Family } from '../port.js';
import { requireTables } from './apply-steps.js';
import { CalicoExceptions } from './calico-exceptions.js';
import { layClassExceptions, type ComingSteering } from './class-exceptions.js';
import { colorOfTable } from './class-table-ids.js';
import { layClassTables, ownClassTables, removeUnusedClassTables, takenColors } from './class-tables.js';
import { readClassifiers } from './classifiers.js';
import { readInterfaces, type VppInterface } from './interfaces.js';
import type { Ownership } from './ownership.js';
import { layPodInput } from './pod-input.js';
import type { VppSettings } from './settings.js';
import { readSourceSessions } from './source-tables.js';
import type { Vpp } from './vpp-link.js';
import { hasTable, readSteerings, readTables } from './vpp-state.js';

/** What packets of pods meet beside steering: input ACLs, the tables of classes, exceptions. */
export class Pods {
  readonly #settings: VppSettings;
  readonly #ownership: Ownership;
  readonly #exceptions: CalicoExceptions;
  #seenInterfaces = '';
  #unsettledPolls = 0;

  constructor(ownership: Ownership) {
    this.#ownership = ownership;
    this.#settings = ownership.settings;
    this.#exceptions = new CalicoExceptions(ownership.settings);
  }

  /** Forgets what an earlier VPP held. */
  reset(): void {
    this.#exceptions.reset();
  }

  /** Makes all of it what it should be. Returns what it could not do, a sentence each: everybody's tunnels work without. */
  async prepare(vpp: Vpp, interfaces: readonly VppInterface[]): Promise<readonly string[]> {
    const complaints = await this.#prepareTables(vpp, interfaces);
    await this.#layExceptions(vpp);
    return complaints;
  }

  /** Takes away what is left when nothing is steered any more. Returns what it could not do. */
  async dismantle(vpp: Vpp): Promise<readonly string[]> {
    const obstacles = await layPodInput(vpp, { ...this.#settings, edgeBlocks: [] }, await readInterfaces(vpp));
    await this.#removeUnusedTables(vpp);
    // Beside Calico-VPP those that this process has added; of others nothing tells that they are ours.
    await this.#layExceptions(vpp);
    return obstacles;
  }

  /**
   * Makes what has to hold before prefixes are steered, and returns why nothing may be in a table, by its id. Steering into a
   * table that is gone kills VPP: it is looked for once more, as late as can be. Throws DataPlaneError without that of all pods.
   */
  async beforeSteering(vpp: Vpp, coming: readonly ComingSteering[]): Promise<ReadonlyMap<number, string>> {
    const colors = new Set(coming.flatMap(({ table }) => this.#colorOf(table) ?? []));
    await layClassTables(vpp, this.#settings, colors);
    await this.#layExceptions(vpp, coming);
    const tables = await readTables(vpp);
    requireTables(tables, this.#settings.table, 'in which prefixes are to be steered');
    const taken = takenColors(tables, this.#settings);
    return new Map(
      coming.flatMap(({ table, family }) => {
        const color = this.#colorOf(table);
        if (color === null) return [];
        const missing = hasTable(tables, family, table) ? null : `VPP has no ${family} table ${table}`;
        const refusal = taken.get(color) ?? missing;
        return refusal === null ? [] : [[table, refusal]];
      }),
    );
  }

  /** Looks after what changes without a word beside Calico-VPP. */
  async follow(vpp: Vpp): Promise<void> {
    await this.#layExceptions(vpp);
    const interfaces = await readInterfaces(vpp);
    const seen = interfaces.map(({ index, name }) => `${index} ${name}`).join('\n');
    // Once more a poll later: interfaces of new pods get their table, and that its default route, after they came.
    this.#unsettledPolls = seen === this.#seenInterfaces ? Math.max(0, this.#unsettledPolls - 1) : 2;
    this.#seenInterfaces = seen;
    if (this.#unsettledPolls > 0) await layPodInput(vpp, this.#settings, interfaces);
  }

  async #prepareTables(vpp: Vpp, interfaces: readonly VppInterface[]): Promise<readonly string[]> {
    try {
      const complaints = await layPodInput(vpp, this.#settings, interfaces);
      await this.#removeUnusedTables(vpp);
      const tables = ownClassTables(await readTables(vpp), this.#settings);
      await layClassTables(
        vpp,
        this.#settings,
        tables.map(({ color }) => color),
      );
      return complaints;
    } catch (error) {
      if (!(error instanceof VppRetvalError)) throw error;
      const hasEdge = this.#settings.edgeBlocks.length > 0;
      return [`${hasEdge ? 'pods may send routing headers' : 'service classes are not whole'}: ${error.message}`];
    }
  }

  async #removeUnusedTables(vpp: Vpp): Promise<void> {
    const [classifiers, steerings] = await Promise.all([readClassifiers(vpp), readSteerings(vpp, this.#settings)]);
    const sessions = await readSourceSessions(vpp, classifiers);
    await removeUnusedClassTables(
      vpp,
      this.#settings,
      sessions.map(({ table }) => table),
      steerings,
    );
  }

  #colorOf(table: number): number | null {
    return table === this.#settings.table ? null : colorOfTable(this.#settings, table);
  }

  /** @param coming prefixes that will be steered next */
  async #layExceptions(vpp: Vpp, coming: readonly ComingSteering[] = []): Promise<void> {
    const [steerings, tables] = await Promise.all([readSteerings(vpp, this.#settings), readTables(vpp)]);
    if (this.#settings.besideCalico) {
      const inPodsTable = ({ table }: ComingSteering): boolean => table === this.#settings.table;
      const ours = steerings.filter((one) => inPodsTable(one) && this.#ownership.ownsBsid(one.bsid));
      const steered = [...ours, ...coming.filter(inPodsTable)];
      const byPrefix = new Map(steered.map(({ prefix, family }): [string, Family] => [prefix, family]));
      await this.#exceptions.lay(vpp, byPrefix, steerings);
    }
    await layClassExceptions(vpp, this.#ownership, tables, steerings, coming);
  }
}
