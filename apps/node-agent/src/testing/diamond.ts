import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DataPlane } from '../dataplane/port.js';
import { LinuxDataPlane } from '../dataplane/linux/linux-data-plane.js';
import { LINUX_DEFAULTS, type LinuxSettings } from '../dataplane/linux/settings.js';
import { NetworkNamespace } from './network-namespace.js';
import { ReconciledAgent } from './reconciled-agent.js';

type Program = ChildProcessByStdio<Writable, Readable, null>;
type Place = 'pod1' | 'h1' | 'r1' | 'r2' | 'h2' | 'pod2';
export type Neighbor = Extract<Place, 'pod1' | 'r1' | 'r2'>;

const PLACES: readonly Place[] = ['pod1', 'h1', 'r1', 'r2', 'h2', 'pod2'];
const LINKS: readonly (readonly [Place, Place])[] = [
  ['pod1', 'h1'],
  ['h1', 'r1'],
  ['h1', 'r2'],
  ['r1', 'h2'],
  ['r2', 'h2'],
  ['h2', 'pod2'],
];
const PORT = 5000;

/** A headend that is not a namespace of the test: whatever runs there takes the ends of the veth pairs. */
export interface ForeignHeadend {
  readonly dataPlane: DataPlane;
  /** A process in whose network namespace the ends are put. */
  readonly pid: number;
  /** Name of the end towards a place. */
  endTowards(place: Neighbor): string;
  /** Takes the ends and gives them addresses and routes, as `Diamond` does for its own `h1`. */
  attach(): Promise<void>;
  detach(): Promise<void>;
}

/**
 * Two ways from one pod to another, of namespaces that the test made. Every route of the underlay is static; `h1` is
 * the headend under test, the others own their SIDs through the same data plane.
 *
 *              ┌─ r1 ─┐
 *     pod1 ─ h1        h2 ─ pod2      10.1.0.1, fd01::1      10.2.0.1, fd02::1
 *              └─ r2 ─┘
 *
 * What is sent to fc00:1::/64 comes to `h1`, over either router.
 */
export class Diamond {
  readonly headend: ReconciledAgent;
  readonly #namespaces: ReadonlyMap<Place, NetworkNamespace>;
  readonly #foreign: ForeignHeadend | undefined;
  readonly #programs = new Set<Program>();

  private constructor(
    namespaces: ReadonlyMap<Place, NetworkNamespace>,
    settings: Partial<LinuxSettings>,
    foreign?: ForeignHeadend,
  ) {
    this.#namespaces = namespaces;
    this.#foreign = foreign;
    this.headend = new ReconciledAgent(foreign?.dataPlane ?? this.dataPlane('h1', settings));
  }

  /** @param headend settings of `h1` that are not the defaults */
  static async create(headend: Partial<LinuxSettings> = {}): Promise<Diamond> {
    const diamond = new Diamond(await namespacesFor(PLACES), headend);
    await diamond.#wire();
    return diamond;
  }

  static async around(headend: ForeignHeadend): Promise<Diamond> {
    const diamond = new Diamond(await namespacesFor(PLACES.filter((place) => place !== 'h1')), {}, headend);
    await diamond.#wire();
    return diamond;
  }

  async remove(): Promise<void> {
    await this.headend.reconciler.stop();
    for (const program of this.#programs) program.kill('SIGKILL');
    await this.#foreign?.detach();
    for (const namespace of this.#namespaces.values()) await namespace.remove();
  }

  /** Packets that a router has received from the headend so far. */
  async sentTowards(router: 'r1' | 'r2'): Promise<number> {
    const text = await this.#at(router).ip('-s -j link show dev to-h1');
    const packets = /"rx":\{"bytes":\d+,"packets":(\d+)/.exec(text)?.[1];
    return Number(packets);
  }

  /** Where the headend is, to run an agent of one's own there. */
  get headendNamespace(): NetworkNamespace {
    return this.#at('h1');
  }

  /** Makes a router lose what is sent through its SID, every link staying up; what comes back another way passes. */
  async cut(router: 'r1' | 'r2'): Promise<void> {
    const sid = router === 'r1' ? 'fc00:a::1' : 'fc00:b::1';
    const chain = 'add chain inet cut way { type filter hook prerouting priority 0; }';
    const text = `add table inet cut\n${chain}\nadd rule inet cut way ip6 daddr ${sid} counter drop\n`;
    const { code, stderr } = await this.#at(router).shell.run('nft', ['-f', '-'], text);
    if (code !== 0) throw new Error(`nft: ${stderr}`);
  }

  async heal(router: 'r1' | 'r2'): Promise<void> {
    await this.#at(router).nft('delete table inet cut');
  }

  /** Packets that have arrived at the pod of the other side so far. */
  arrivedSoFar(): Promise<number> {
    return this.#arrived();
  }

  /**
   * Streams UDP from pod to pod while `during` runs. Packets sent and packets that arrived at `pod2`, as the kernels
   * counted.
   *
   * @param source address of the sender that packets come from; its own choice when left out
   */
  async stream(
    address: string,
    flows: number,
    during: () => Promise<void>,
    from: Place = 'pod1',
    source?: string,
  ): Promise<{ readonly sent: number; readonly arrived: number }> {
    const sink = await this.#run('pod2', 'udp-sink.mjs', String(PORT));
    const before = { sent: await this.#udp(from, ['OutDatagrams']), arrived: await this.#arrived() };
    const sender = await this.#run(
      from,
      'udp-sender.mjs',
      address,
      String(PORT),
      String(flows),
      ...(source === undefined ? [] : [source]),
    );
    await during();
    await this.#end(sender);
    const sent = (await this.#udp(from, ['OutDatagrams'])) - before.sent;
    const arrived = await this.#settled(before.arrived, sent);
    await this.#end(sink);
    return { sent, arrived };
  }

  /** The last packets may still be under way when the sender ends: give them ten looks to arrive. */
  async #settled(before: number, sent: number): Promise<number> {
    for (let look = 0; look < 10; look += 1) {
      if ((await this.#arrived()) - before >= sent) break;
      await pause(50);
    }
    return (await this.#arrived()) - before;
  }

  /** What the receiver's buffer could not hold has arrived all the same. */
  #arrived(): Promise<number> {
    return this.#udp('pod2', ['InDatagrams', 'RcvbufErrors']);
  }

  /** IPv4 and IPv6 counters of a pod, added up. */
  async #udp(pod: Place, counters: readonly string[]): Promise<number> {
    const { stdout } = await this.#at(pod).shell.run('cat', ['/proc/net/snmp', '/proc/net/snmp6']);
    const lines = stdout.split('\n');
    const [names = '', values = ''] = lines.filter((line) => line.startsWith('Udp:'));
    const v4 = new Map(names.split(' ').map((name, index) => [name, Number(values.split(' ')[index])]));
    const v6 = new Map(lines.map((line) => [line.split(/\s+/)[0] ?? '', Number(line.split(/\s+/)[1])]));
    return counters.reduce((sum, name) => sum + (v4.get(name) ?? 0) + (v6.get(`Udp6${name}`) ?? 0), 0);
  }

  async #run(place: Place, script: string, ...args: readonly string[]): Promise<Program> {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const argv = ['netns', 'exec', this.#at(place).name, process.execPath, path, ...args];
    const program = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#programs.add(program);
    await once(program.stdout, 'data');
    return program;
  }

  async #end(program: Program): Promise<void> {
    const ended = once(program, 'exit');
    program.stdin.end();
    await ended;
    this.#programs.delete(program);
  }

  #at(place: Place): NetworkNamespace {
    const namespace = this.#namespaces.get(place);
    if (namespace === undefined) throw new Error(`there is no ${place}`);
    return namespace;
  }

  namespace(place: Place): NetworkNamespace {
    return this.#at(place);
  }

  dataPlane(place: Place, changes: Partial<LinuxSettings> = {}): LinuxDataPlane {
    const settings = { ...LINUX_DEFAULTS, manageSysctls: true, ownsLocalSids: true, ...changes };
    return new LinuxDataPlane(settings, this.#at(place).shell);
  }

  async #wire(): Promise<void> {
    for (const namespace of this.#namespaces.values()) await namespace.sysctl('net.ipv6.conf.default.accept_dad=0');
    for (const [index, [left, right]] of LINKS.entries()) {
      await this.#link(left, right);
      for (const [place, other, host] of [
        [left, right, 1],
        [right, left, 2],
      ] as const) {
        if (!this.#namespaces.has(place)) continue;
        await this.#at(place).ip(`link set to-${other} up`);
        await this.#at(place).ip(`addr add fd00:${index + 1}::${host}/64 dev to-${other} nodad`);
      }
    }
    await this.#routePods();
    await this.#routeUnderlay();
    await this.#foreign?.attach();
    const owners = [
      ['r1', [{ sid: 'fc00:a::1', behavior: 'End' }]],
      ['r2', [{ sid: 'fc00:b::1', behavior: 'End' }]],
      [
        'h2',
        [
          { sid: 'fc00:2::d4', behavior: 'End.DT4' },
          { sid: 'fc00:2::d6', behavior: 'End.DT6' },
        ],
      ],
    ] as const;
    for (const [place, localSids] of owners) {
      const agent = new ReconciledAgent(this.dataPlane(place), localSids);
      await agent.want();
      if (agent.reconciler.health.error !== null) throw new Error(agent.reconciler.health.error);
    }
  }

  async #link(left: Place, right: Place): Promise<void> {
    const [near, far] = this.#namespaces.has(left) ? [left, right] : [right, left];
    const namespace = this.#namespaces.get(far)?.name ?? String(this.#foreign?.pid);
    const end = this.#namespaces.has(far) ? `to-${near}` : this.#foreign?.endTowards(near as Neighbor);
    await this.#at(near).ip(`link add to-${far} type veth peer name ${end ?? ''} netns ${namespace}`);
  }

  async #routePods(): Promise<void> {
    await this.#at('pod1').ip('addr add 10.1.0.1/24 dev to-h1');
    await this.#at('pod1').ip('-6 addr add fd01::1/64 dev to-h1 nodad');
    if (this.#foreign === undefined) {
      await this.#at('h1').ip('addr add 10.1.0.254/24 dev to-pod1');
      await this.#at('h1').ip('-6 addr add fd01::fe/64 dev to-pod1 nodad');
    }
    await this.#at('pod1').ip('route add default via 10.1.0.254');
    await this.#at('pod1').ip('-6 route add default via fd01::fe');
    await this.#at('pod2').ip('addr add 10.2.0.1/24 dev to-h2');
    await this.#at('h2').ip('addr add 10.2.0.254/24 dev to-pod2');
    await this.#at('pod2').ip('-6 addr add fd02::1/64 dev to-h2 nodad');
    await this.#at('h2').ip('-6 addr add fd02::fe/64 dev to-pod2 nodad');
  }

  async #routeUnderlay(): Promise<void> {
    if (this.#foreign === undefined) {
      await this.#at('h1').ip('-6 route add fc00:a::/64 via fd00:2::2');
      await this.#at('h1').ip('-6 route add fc00:b::/64 via fd00:3::2');
      await this.#at('h1').ip('-6 route add fc00:2::/64 nexthop via fd00:2::2 nexthop via fd00:3::2');
    }
    await this.#at('r1').ip('-6 route add fc00:2::/64 via fd00:4::2');
    await this.#at('r2').ip('-6 route add fc00:2::/64 via fd00:5::2');
    await this.#at('r1').ip('-6 route add fc00:1::/64 via fd00:2::1');
    await this.#at('r2').ip('-6 route add fc00:1::/64 via fd00:3::1');
    await this.#at('h2').ip('-6 route add fc00:1::/64 nexthop via fd00:4::1 nexthop via fd00:5::1');
  }
}

async function namespacesFor(places: readonly Place[]): Promise<Map<Place, NetworkNamespace>> {
  const namespaces = new Map<Place, NetworkNamespace>();
  for (const place of places) namespaces.set(place, await NetworkNamespace.create());
  return namespaces;
}
