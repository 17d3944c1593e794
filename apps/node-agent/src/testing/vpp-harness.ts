import { VppConnection } from '@waymark/vpp-api';
import { VppStandIn, type StandInOptions } from '@waymark/vpp-stand-in';
import { VPP_DEFAULTS, type ProbeSettings, type VppSettings } from '../dataplane/vpp/settings.js';
import { VppDataPlane } from '../dataplane/vpp/vpp-data-plane.js';
import { VppLink, type Vpp } from '../dataplane/vpp/vpp-link.js';
import { LINUX_DEFAULTS } from '../dataplane/linux/settings.js';
import { withdraw } from '../reconcile/withdraw.js';
import type { DataPlaneHarness } from './data-plane-contract.js';
import { NetworkNamespace } from './network-namespace.js';

/** Socket of a real VPP to run the suites on; unset: the stand-in. */
export const realVppSocket = process.env['VPP_API_SOCKET'];

/** A reason to skip what only the stand-in can show, or undefined. */
export const standInOnly = realVppSocket === undefined ? undefined : 'needs the stand-in, VPP_API_SOCKET is set';

/** For StandInOptions: the tables of the tests, after each restart too. */
export const TABLES_AT_START = (['ipv4', 'ipv6'] as const).map((family) => ({ id: 7_777, family }));

/** Table, blocks and source that nothing else on a VPP uses. */
export const TEST_TABLE = 7_777;
export const TEST_SETTINGS: VppSettings = {
  socketPath: '',
  encapSource: 'fd00:7e57::1',
  bsidBlock: 'fdff::/16',
  table: TEST_TABLE,
  classTables: 7_800,
  besideCalico: false,
  msd: 5,
  localSids: [],
  localSidBlock: 'fc00:9::/32',
  decapTable: TEST_TABLE,
  probe: null,
  edgeBlocks: [],
  localSidCountersIntervalMs: VPP_DEFAULTS.localSidCountersIntervalMs,
};

const TEST_PROBES: ProbeSettings = {
  prefix: 'fc00:9:0:f::/64',
  interfaceName: 'loop77',
  table: 7_776,
  gateway: 'fd00:9::1',
  host: 'fd00:9::2',
  rules: { ...LINUX_DEFAULTS, probePrefix: 'fc00:9:0:f::/64' },
};

/** Requests that read. */
const READS = new Set([
  'ip_route_lookup',
  'sw_interface_get_table',
  'classify_table_ids',
  'classify_table_info',
  'classify_table_by_interface',
  'show_version',
  'cli_inband',
  'control_ping',
]);

/**
 * One connection for all data planes of a test, which counts what they change: VPP 26.06 hangs for good when 16 of its clients
 * leave at once.
 */
class SharedLink extends VppLink {
  writes = 0;
  #counted: { readonly vpp: Vpp; readonly counting: Vpp } | undefined;

  override async open(): Promise<Vpp> {
    const vpp = await super.open();
    if (this.#counted?.vpp !== vpp) this.#counted = { vpp, counting: this.#counting(vpp) };
    return this.#counted.counting;
  }

  /** The data planes come and go. */
  override close(): void {
    // The harness ends it.
  }

  end(): void {
    super.close();
  }

  #counting(vpp: Vpp): Vpp {
    return {
      call: (request, values, options) => {
        if (!READS.has(request)) this.writes += 1;
        return vpp.call(request, values, options);
      },
      dump: (request, values, options) => vpp.dump(request, values, options),
    };
  }
}

/** A VPP with a table of ours in which prefixes are steered: the stand-in, or the real one. */
export class VppHarness implements DataPlaneHarness {
  readonly standIn: VppStandIn | null;
  readonly #socketPath: string;
  readonly #link: SharedLink;
  readonly #settings: VppSettings;
  #host: NetworkNamespace | undefined;
  readonly #loopbacks = new Set<string>();

  private constructor(
    socketPath: string,
    standIn: VppStandIn | null,
    settings: Partial<VppSettings>,
    timeoutMs: number,
  ) {
    this.#socketPath = socketPath;
    this.#link = new SharedLink(socketPath, { timeoutMs, minBackoffMs: 10 });
    this.standIn = standIn;
    this.#settings = { ...TEST_SETTINGS, ...settings, socketPath };
  }

  /** @param timeoutMs how long the driver waits for an answer */
  static async create(
    settings: Partial<VppSettings> = {},
    standInOptions: StandInOptions = {},
    timeoutMs = 5_000,
  ): Promise<VppHarness> {
    const standIn = realVppSocket === undefined ? new VppStandIn(standInOptions) : null;
    await standIn?.start();
    const harness = new VppHarness(realVppSocket ?? standIn?.socketPath ?? '', standIn, settings, timeoutMs);
    await harness.setTable(true);
    return harness;
  }

  /** With an interface for probes: VPP's end needs no neighbor here, the host's is in a namespace. */
  static async withProbes(): Promise<VppHarness> {
    const host = await NetworkNamespace.create();
    await host.ip('link add to-vpp type veth peer name vpp');
    await host.ip('link set to-vpp up');
    await host.ip('-6 addr add fd00:9::2/64 dev to-vpp nodad');
    const harness = await VppHarness.create(
      { probe: TEST_PROBES },
      {
        interfaces: [{ name: TEST_PROBES.interfaceName, mac: '02:fe:00:00:00:09', ipv6Table: TEST_PROBES.table }],
        tables: [{ id: TEST_PROBES.table, family: 'ipv6' }],
      },
    );
    harness.#host = host;
    if (harness.standIn === null) await harness.#setLoopback(true);
    return harness;
  }

  open(settings: Partial<VppSettings> = {}): VppDataPlane {
    return new VppDataPlane({ ...this.#settings, ...settings }, this.#link, this.#host?.shell);
  }

  async #setLoopback(present: boolean): Promise<void> {
    const { interfaceName: name, table } = TEST_PROBES;
    const commands = present
      ? [`ip6 table add ${table}`, 'create loopback interface instance 77', `set interface ip6 table ${name} ${table}`]
      : [`delete loopback interface intfc ${name}`, `ip6 table del ${table}`];
    await this.#cli(...commands);
  }

  /** A loopback interface, until the next life of VPP. @param instance from 78 */
  async addLoopback(instance: number, ipv6Table: number): Promise<string> {
    const name = `loop${instance}`;
    this.#loopbacks.add(name);
    if (this.standIn === null) await this.#cli(`create loopback interface instance ${instance}`);
    else this.standIn.addInterface({ name, mac: '02:fe:00:00:00:4e' });
    await this.setIpv6Table(name, ipv6Table);
    return name;
  }

  async removeLoopback(name: string): Promise<void> {
    this.#loopbacks.delete(name);
    if (this.standIn === null) await this.#cli(`delete loopback interface intfc ${name}`);
    else this.standIn.removeInterface(name);
  }

  async setIpv6Table(interfaceName: string, table: number): Promise<void> {
    if (this.standIn === null) await this.#cli(`set interface ip6 table ${interfaceName} ${table}`);
    else this.standIn.setIpv6Table(interfaceName, table);
  }

  async #cli(...commands: readonly string[]): Promise<void> {
    await this.using(async (vpp) => {
      for (const cmd of commands) await vpp.call('cli_inband', { cmd });
    });
  }

  writes(): number {
    return this.#link.writes;
  }

  /** For suites that a real VPP cannot take part in. */
  static async onStandIn(
    settings: Partial<VppSettings> = {},
    standInOptions: StandInOptions = {},
    timeoutMs = 5_000,
  ): Promise<VppHarness & { readonly standIn: VppStandIn }> {
    const harness = await VppHarness.create(settings, standInOptions, timeoutMs);
    const { standIn } = harness;
    if (standIn === null) throw new Error('this suite is not for a real VPP');
    return Object.assign(harness, { standIn });
  }

  /** Talks to this VPP beside the agent. */
  async using<T>(work: (vpp: Vpp) => Promise<T>): Promise<T> {
    const vpp = await VppConnection.open({ socketPath: this.#socketPath });
    try {
      return await work(vpp);
    } finally {
      vpp.close();
    }
  }

  async setTable(present: boolean): Promise<void> {
    await this.using(async (vpp) => {
      for (const is_ip6 of [false, true]) {
        await vpp.call('ip_table_add_del', {
          is_add: present,
          table: { table_id: TEST_TABLE, is_ip6, name: 'waymark-test' },
        });
      }
    });
  }

  async close(): Promise<void> {
    try {
      if (this.standIn === null) {
        await withdraw(this.open());
        for (const name of this.#loopbacks) await this.removeLoopback(name);
        await this.setTable(false);
        if (this.#host !== undefined) await this.#setLoopback(false);
      }
    } finally {
      await this.#host?.remove();
      this.#link.end();
      await this.standIn?.stop();
    }
  }
}
