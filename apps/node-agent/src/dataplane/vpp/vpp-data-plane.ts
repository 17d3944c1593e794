import { inPrefix } from '../address.js';
import {
  DataPlaneError,
  type ActualState,
  type Capabilities,
  type DataPlane,
  type LocalSidCounters,
  type Reading,
  type Step,
  type StepFailure,
  type Tunnel,
} from '../port.js';
import { applySteps, requireTable, requireTables } from './apply-steps.js';
import { LAST_TABLE, tableOfColor } from './class-table-ids.js';
import { readClassifiers } from './classifiers.js';
import { isExactSplit, starves, effectiveSplit } from './effective-split.js';
import {
  headroomMsd,
  readInterfaceNames,
  readInterfaceCounters,
  readInterfaces,
  type VppInterface,
} from './interfaces.js';
import { interpret } from './interpret.js';
import { localSidFound, SID_TABLE } from './local-sids.js';
import { systemShell, type Shell } from '../linux/shell.js';
import { ownershipOf, type Ownership } from './ownership.js';
import { MOST_LISTS } from './plan-lists.js';
import { Pods } from './pods.js';
import { ProbeHost } from './probe-host.js';
import { dropRoute, isDropped, leadsTo, nextHopRoute, routeRemoval } from './routes.js';
import type { ProbeSettings, VppSettings } from './settings.js';
import { readSourceSessions } from './source-tables.js';
import { withVpp, type Vpp, type VppLink } from './vpp-link.js';
import {
  MOST_SIDS,
  readLocalSids,
  readPolicies,
  readSteerings,
  readTables,
  type VppPolicy,
  type VppTable,
} from './vpp-state.js';

/** Pods come and go without a word from VPP: how often their routes are looked at. */
const CALICO_POLL_MS = 2_000;

/**
 * SRv6 in VPP through its binary API: a tunnel is an SR policy with H.Encaps, a steered prefix is a steering of the table
 * that was set. What VPP would die of, or do wrong without a word, is refused or planned around; docs/vpp.md lists it.
 */
export class VppDataPlane implements DataPlane {
  readonly #link: VppLink;
  readonly #settings: VppSettings;
  readonly #ownership: Ownership;
  readonly #pods: Pods;
  readonly #probeHost: ProbeHost | null;
  #known: Vpp | undefined;
  #msd: number;
  #policies: readonly VppPolicy[] = [];
  #localSidCountersAt = Number.NEGATIVE_INFINITY;
  #turn: Promise<unknown> = Promise.resolve();
  #polling = false;

  /** @param shell of the host that probes come from; VPP itself needs none */
  constructor(settings: VppSettings, link: VppLink, shell: Shell = systemShell()) {
    this.#probeHost = settings.probe && new ProbeHost(settings.probe, shell);
    this.#settings = settings;
    this.#link = link;
    this.#ownership = ownershipOf(settings);
    this.#pods = new Pods(this.#ownership);
    this.#msd = settings.msd === 'auto' ? 0 : settings.msd;
  }

  /** The MSD is 0 until VPP has been reached, when it depends on the interfaces there. */
  get capabilities(): Capabilities {
    return {
      name: 'vpp',
      real: true,
      msdHEncaps: this.#msd,
      encapMode: 'full',
      bindingSids: true,
      probePrefix: this.#settings.probe?.prefix ?? null,
    };
  }

  prepare(): Promise<readonly string[]> {
    return this.#withVpp('VPP cannot be prepared', async (vpp) => {
      const { table, decapTable, localSids, msd } = this.#settings;
      const [tables, interfaces] = await Promise.all([readTables(vpp), readInterfaces(vpp)]);
      if (msd === 'auto') this.#msd = headroomMsd(interfaces);
      requireTables(tables, table, 'in which prefixes are to be steered');
      if (localSids.length > 0) requireTables(tables, decapTable, 'where local SIDs decapsulate into');
      await Promise.all(
        this.#drops().map(async ([prefix, inTable]) => {
          if (!(await isDropped(vpp, prefix, inTable))) await vpp.call('ip_route_add_del', dropRoute(prefix, inTable));
        }),
      );
      return [
        ...(await this.#inTurn(() => this.#pods.prepare(vpp, interfaces))),
        ...(await this.#prepareProbes(vpp, tables, interfaces)),
      ];
    });
  }

  async dismantle(): Promise<void> {
    await this.#withVpp('VPP cannot be dismantled', async (vpp) => {
      const { probe } = this.#settings;
      await this.#probeHost?.remove();
      if (probe !== null && (await this.#probesReturn(vpp, await readInterfaces(vpp), probe))) {
        await vpp.call('ip_route_add_del', routeRemoval(probe.prefix, SID_TABLE));
      }
      const [obstacle] = await this.#inTurn(() => this.#pods.dismantle(vpp));
      for (const [prefix, table] of this.#drops()) {
        if (await isDropped(vpp, prefix, table)) await vpp.call('ip_route_add_del', routeRemoval(prefix, table));
      }
      if (obstacle !== undefined) throw new DataPlaneError(obstacle);
    });
  }

  read(): Promise<ActualState> {
    return this.#withVpp('VPP cannot be read', async (vpp) => {
      const [policies, steerings, tables, sourceSessions, localSids, interfaces] = await Promise.all([
        readPolicies(vpp),
        readSteerings(vpp, this.#settings),
        readTables(vpp),
        readClassifiers(vpp).then((classifiers) => readSourceSessions(vpp, classifiers)),
        this.#localSidsMatter ? readLocalSids(vpp) : [],
        this.#localSidsMatter ? readInterfaces(vpp) : [],
      ]);
      this.#policies = policies;
      const names = new Map(interfaces.map(({ index, name }) => [index, name]));
      const state = { policies, steerings, tables, sourceSessions, localSids, interfaces: names };
      return interpret(state, this.#ownership);
    });
  }

  objection({ action, bsid, alternateBsid }: Tunnel): string | null {
    const foreign = [bsid, alternateBsid].find((one) => !this.#ownership.ownsBsid(one));
    if (foreign !== undefined)
      return `its binding SID ${foreign} is not in ${this.#settings.bsidBlock}, the agent's block`;
    if (action.kind === 'drop') return null;
    const { segmentLists } = action;
    if (segmentLists.length === 0) return 'it has no segment list';
    if (segmentLists.length > MOST_LISTS) {
      return `it has ${segmentLists.length} segment lists; VPP shows at most ${MOST_LISTS}`;
    }
    if (segmentLists.some(({ sids }) => sids.length === 0 || sids.length > MOST_SIDS)) {
      return `VPP takes 1 to ${MOST_SIDS} SIDs in a segment list`;
    }
    const weights = segmentLists.map(({ weight }) => weight);
    if (starves(weights)) return `VPP would leave a segment list without traffic with weights ${weights.join(':')}`;
    return null;
  }

  objectionToClass(color: number): string | null {
    if (tableOfColor(this.#settings, color) <= LAST_TABLE) return null;
    return `the table of color ${color} would be ${tableOfColor(this.#settings, color)}, beyond the last of VPP; lower WAYMARK_VPP_CLASS_TABLES`;
  }

  apply(steps: readonly Step[]): Promise<readonly StepFailure[]> {
    return this.#inTurn(() =>
      this.#withVpp('VPP went away during a change', (vpp) =>
        applySteps(vpp, steps, this.#ownership, (coming) => this.#pods.beforeSteering(vpp, coming)),
      ),
    );
  }

  readCounters(): Promise<Reading> {
    return this.#withVpp('VPP does not tell its counters', async (vpp) => {
      const [{ version }, interfaces, localSids] = await Promise.all([
        vpp.call('show_version', {}),
        readInterfaceCounters(vpp),
        this.#localSidCountersAreDue() ? this.#readLocalSidCounters(vpp) : null,
      ]);
      return { version: `VPP ${version}`, interfaces, localSids, notices: noticesOf(this.#policies, this.#ownership) };
    });
  }

  /** VPP announces no change of SR: only that it was reached again is news by itself. */
  watch(wake: () => void): () => void {
    const forget = [this.#link.onConnected(wake), this.#link.onLost(wake)];
    const poll = this.#settings.besideCalico
      ? setInterval(() => void this.#pollCalico(wake), CALICO_POLL_MS)
      : undefined;
    return () => {
      forget.forEach((stop) => stop());
      clearInterval(poll);
    };
  }

  close(): void {
    this.#link.close();
  }

  async #withVpp<T>(what: string, work: (vpp: Vpp) => Promise<T>): Promise<T> {
    const vpp = await this.#link.open();
    if (vpp !== this.#known) this.#pods.reset();
    this.#known = vpp;
    return withVpp(what, () => work(vpp));
  }

  /** Routes that drop, with their tables. */
  #drops(): readonly (readonly [prefix: string, table: number])[] {
    const { edgeBlocks, table } = this.#settings;
    return [
      [`${this.#ownership.dropSid}/128`, SID_TABLE],
      ...edgeBlocks.map((block): [string, number] => [block, table]),
    ];
  }

  /** Tunnels work without probes: what stands in the way of these is told, and nothing else suffers. */
  async #prepareProbes(
    vpp: Vpp,
    tables: readonly VppTable[],
    interfaces: readonly VppInterface[],
  ): Promise<readonly string[]> {
    const { probe } = this.#settings;
    if (probe === null) return [];
    try {
      await this.#layProbeReturn(vpp, tables, interfaces, probe);
      await this.#probeHost?.lay();
      return [];
    } catch (error) {
      if (error instanceof DataPlaneError) return [`segment lists cannot be probed: ${error.message}`];
      throw error;
    }
  }

  async #probesReturn(vpp: Vpp, interfaces: readonly VppInterface[], { prefix, interfaceName, host }: ProbeSettings) {
    const index = interfaces.find(({ name }) => name === interfaceName)?.index;
    return index !== undefined && leadsTo(vpp, prefix, SID_TABLE, index, host);
  }

  /** What comes back from a probe goes to the host again. */
  async #layProbeReturn(
    vpp: Vpp,
    tables: readonly VppTable[],
    interfaces: readonly VppInterface[],
    { prefix, interfaceName, table, host }: ProbeSettings,
  ): Promise<void> {
    requireTable(tables, 'ipv6', table, 'in which probes are to be steered');
    const index = interfaces.find(({ name }) => name === interfaceName)?.index;
    if (index === undefined) throw new DataPlaneError(`VPP has no interface ${interfaceName} for probes`);
    const { vrf_id: actual } = await vpp.call('sw_interface_get_table', { sw_if_index: index, is_ipv6: true });
    if (actual !== table) {
      throw new DataPlaneError(
        `${interfaceName} is in IPv6 table ${actual} and must be in ${table}: set interface ip6 table ${interfaceName} ${table}`,
      );
    }
    if (await leadsTo(vpp, prefix, SID_TABLE, index, host)) return;
    await vpp.call('ip_route_add_del', nextHopRoute(prefix, SID_TABLE, index, host));
  }

  async #pollCalico(wake: () => void): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    try {
      await this.#inTurn(() => this.#withVpp("Calico-VPP's routes cannot be read", (vpp) => this.#pods.follow(vpp)));
    } catch {
      // The next round says what is wrong.
      wake();
    } finally {
      this.#polling = false;
    }
  }

  /** One after the other: exceptions that were laid for prefixes about to be steered must not seem unneeded meanwhile. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  get #localSidsMatter(): boolean {
    return this.#settings.localSids.length > 0 || this.#settings.localSidBlock !== null;
  }

  #localSidCountersAreDue(): boolean {
    const { localSidCountersIntervalMs: interval, besideCalico } = this.#settings;
    return (
      interval > 0 && !besideCalico && this.#localSidsMatter && performance.now() - this.#localSidCountersAt >= interval
    );
  }

  async #readLocalSidCounters(vpp: Vpp): Promise<LocalSidCounters[]> {
    this.#localSidCountersAt = performance.now();
    const [found, interfaces] = await Promise.all([
      vpp.dump('sr_localsids_with_packet_stats_dump', {}),
      readInterfaceNames(vpp),
    ]);
    return found.map((one) => ({
      ...localSidFound(
        {
          sid: one.addr,
          behavior: one.behavior,
          endPsp: one.end_psp,
          table: one.fib_table,
          nextHop: one.xconnect_nh_addr,
          interfaceOrTable: one.xconnect_iface_or_vrf_table,
        },
        this.#settings,
        interfaces,
      ),
      goodPackets: Number(one.good_traffic_pkt_count),
      goodBytes: Number(one.good_traffic_bytes),
      badPackets: Number(one.bad_traffic_pkt_count),
      badBytes: Number(one.bad_traffic_bytes),
    }));
  }
}

/** What an operator should know: how VPP rounds weights, and what it holds that is not ours. */
function noticesOf(policies: readonly VppPolicy[], ownership: Ownership): string[] {
  const { probe } = ownership.settings;
  const isProbes = probe === null ? () => false : inPrefix(probe.prefix);
  const foreign = policies.filter(({ bsid }) => !ownership.ownsBsid(bsid) && !isProbes(bsid));
  const rounded = policies
    .filter(({ bsid, lists }) => ownership.ownsBsid(bsid) && !isExactSplit(lists.map(({ weight }) => weight)))
    .map(({ bsid, lists }) => {
      const weights = lists.map(({ weight }) => weight);
      return `SR policy ${bsid}: VPP splits weights ${weights.join(':')} as ${effectiveSplit(weights).join(':')}`;
    });
  if (foreign.length === 0) return rounded;
  const [first] = foreign;
  return [`${foreign.length} SR policies are not ours and left alone (the first: ${first?.bsid ?? ''})`, ...rounded];
}
