import type { DataPlane } from '../dataplane/port.js';
import type { ForeignHeadend, Neighbor } from './diamond.js';
import { TEST_TABLE, VppHarness } from './vpp-harness.js';

const NEIGHBORS: readonly Neighbor[] = ['pod1', 'r1', 'r2'];

/** A real VPP as the headend of the diamond: its af_packet plugin takes the veth ends, pods are in the table of the harness. */
export class VppHeadend implements ForeignHeadend {
  readonly dataPlane: DataPlane;
  readonly pid: number;
  readonly #harness: VppHarness;

  private constructor(harness: VppHarness, pid: number) {
    this.#harness = harness;
    this.pid = pid;
    this.dataPlane = harness.open();
  }

  static async create(): Promise<VppHeadend> {
    const harness = await VppHarness.create();
    const { vpe_pid } = await harness.using((vpp) => vpp.call('control_ping', {}));
    return new VppHeadend(harness, vpe_pid);
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

  async detach(): Promise<void> {
    await this.#cli(
      'ip route del fc00:a::/64',
      'ip route del fc00:b::/64',
      'ip route del fc00:2::/64',
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
