import { fileURLToPath } from 'node:url';
import type { DataPlane } from '../dataplane/port.js';
import type { VppSettings } from '../dataplane/vpp/settings.js';
import type { ForeignHeadend, Neighbor } from './diamond.js';
import { NetworkNamespace } from './network-namespace.js';
import { realVppSocket, TEST_SETTINGS, TEST_TABLE, VppHarness } from './vpp-harness.js';

/** Where an agent that probes runs. */
export interface VppHost {
  readonly namespace: string;
  readonly environment: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

const HOST_END = 'wm-vpp-host';
const PROBE_TABLE = 7_778;
const NEIGHBORS: readonly Neighbor[] = ['pod1', 'r1', 'r2'];

/** A real VPP as the headend of the diamond: its af_packet plugin takes the veth ends, pods are in the table of the harness. */
export class VppHeadend implements ForeignHeadend {
  readonly dataPlane: DataPlane;
  readonly pid: number;
  readonly #harness: VppHarness;
  readonly #reachable: string[] = [];

  private constructor(harness: VppHarness, pid: number) {
    this.#harness = harness;
    this.pid = pid;
    this.dataPlane = harness.open();
  }

  static async create(settings: Partial<VppSettings> = {}): Promise<VppHeadend> {
    const harness = await VppHarness.create(settings);
    const { vpe_pid } = await harness.using((vpp) => vpp.call('control_ping', {}));
    return new VppHeadend(harness, vpe_pid);
  }

  /** Another agent for the same VPP. */
  open(settings: Partial<VppSettings>): DataPlane {
    return this.#harness.open(settings);
  }

  /** Has what pods send there looked up in the main table: only what is steered leaves theirs otherwise. */
  async letPodsReach(prefix: string): Promise<void> {
    await this.#cli(`ip route add ${prefix} table ${TEST_TABLE} via ip6-lookup-in-table 0`);
    this.#reachable.push(prefix);
  }

  /** What VPP's CLI says. */
  async show(cmd: string): Promise<string> {
    const { reply } = await this.#harness.using((vpp) => vpp.call('cli_inband', { cmd }));
    return reply;
  }

  /** Packets that an input ACL has dropped since its tables were made. */
  async droppedByInputAcl(): Promise<number> {
    const reply = await this.show('show classify tables verbose');
    return [...reply.matchAll(/hits (\d+)/g)].reduce((sum, [, hits]) => sum + Number(hits), 0);
  }

  endTowards(place: Neighbor): string {
    return `wm-vpp-${place}`;
  }

  async attach(): Promise<void> {
    const of = (place: Neighbor) => `host-${this.endTowards(place)}`;
    await this.#cli(
      ...NEIGHBORS.flatMap((place) => [
        `create host-interface name ${this.endTowards(place)}`,
        `set interface state ${of(place)} up`,
      ]),
      `set interface ip table ${of('pod1')} ${TEST_TABLE}`,
      `set interface ip6 table ${of('pod1')} ${TEST_TABLE}`,
      `set interface ip address ${of('pod1')} 10.1.0.254/24`,
      `set interface ip address ${of('pod1')} fd01::fe/64`,
      `set interface ip address ${of('r1')} fd00:2::1/64`,
      `set interface ip address ${of('r2')} fd00:3::1/64`,
      `ip route add fc00:a::/64 via fd00:2::2 ${of('r1')}`,
      `ip route add fc00:b::/64 via fd00:3::2 ${of('r2')}`,
      `ip route add fc00:2::/64 via fd00:2::2 ${of('r1')}`,
      `ip route add fc00:2::/64 via fd00:3::2 ${of('r2')}`,
    );
  }

  /** A host beside VPP for an agent that probes, with an interface between them. */
  async attachHost(): Promise<VppHost> {
    const host = await NetworkNamespace.create();
    await host.ip(`link add to-vpp type veth peer name ${HOST_END} netns ${this.pid}`);
    await host.ip('link set to-vpp up');
    await host.ip('-6 addr add fd00:9::2/64 dev to-vpp nodad');
    await this.#cli(
      `ip6 table add ${PROBE_TABLE}`,
      `create host-interface name ${HOST_END}`,
      `set interface state host-${HOST_END} up`,
      `set interface ip6 table host-${HOST_END} ${PROBE_TABLE}`,
      `set interface ip address host-${HOST_END} fd00:9::1/64`,
    );
    const environment = {
      WAYMARK_DATAPLANE: 'vpp',
      WAYMARK_VPP_SOCKET: realVppSocket ?? '',
      WAYMARK_VPP_ENCAP_SOURCE: TEST_SETTINGS.encapSource,
      WAYMARK_VPP_BSID_BLOCK: TEST_SETTINGS.bsidBlock,
      WAYMARK_VPP_TABLE: String(TEST_TABLE),
      WAYMARK_VPP_MSD: '5',
      WAYMARK_VPP_PROBE_INTERFACE: `host-${HOST_END}`,
      WAYMARK_VPP_PROBE_TABLE: String(PROBE_TABLE),
      WAYMARK_VPP_PROBE_GATEWAY: 'fd00:9::1',
      WAYMARK_VPP_PROBE_HOST: 'fd00:9::2',
    };
    return {
      namespace: host.name,
      environment,
      remove: async () => {
        await this.#withdraw(host, environment);
        await this.#cli(`delete host-interface name ${HOST_END}`, `ip6 table del ${PROBE_TABLE}`);
        await host.remove();
      },
    };
  }

  async #withdraw(host: NetworkNamespace, environment: Readonly<Record<string, string>>): Promise<void> {
    const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    const more = { WAYMARK_NODE_ID: 'h1', WAYMARK_PROBE_PREFIX: 'fc00:1::/64', WAYMARK_LOG_LEVEL: 'error' };
    const settings = Object.entries({ ...environment, ...more }).map(([name, value]) => `${name}=${value}`);
    const { code, stdout, stderr } = await host.shell.run('env', [...settings, process.execPath, main, '--withdraw']);
    if (code !== 0) throw new Error(`the agent could not withdraw: ${stdout}${stderr}`);
  }

  async detach(): Promise<void> {
    await this.#cli(
      'ip route del fc00:a::/64',
      'ip route del fc00:b::/64',
      'ip route del fc00:2::/64',
      ...this.#reachable.map((prefix) => `ip route del ${prefix} table ${TEST_TABLE} via ip6-lookup-in-table 0`),
      ...NEIGHBORS.map((place) => `delete host-interface name ${this.endTowards(place)}`),
    );
    await this.#harness.close();
  }

  async #cli(...commands: readonly string[]): Promise<void> {
    await this.#harness.using(async (vpp) => {
      for (const cmd of commands) {
        const { reply } = await vpp.call('cli_inband', { cmd });
        if (/unknown|error|failed|invalid/i.test(reply)) throw new Error(`vppctl ${cmd}: ${reply}`);
      }
    });
  }
}
