import { computePaths, freezeSnapshot, type PathRequest, type SegmentList } from '@waymark/topology';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LinuxDataPlane } from '../../apps/node-agent/src/dataplane/linux/linux-data-plane.js';
import { LINUX_DEFAULTS } from '../../apps/node-agent/src/dataplane/linux/settings.js';
import { NetworkNamespace } from '../../apps/node-agent/src/testing/network-namespace.js';
import { ReconciledAgent } from '../../apps/node-agent/src/testing/reconciled-agent.js';
import { buildTed } from '../../packages/topology/src/testing/build-ted.js';
import { missingNeeds } from '../require-program.js';
import { eventually } from './eventually.js';

/*
 *            r2 -- r3 -- r4 == h2         seven routers in a ring, each a namespace: all but r6 and r7 take C-SIDs (RFC
 *   h1 == r1                  \           9800). What the engine computes is what the agent of h1 installs,
 *            r7 ---- r6 ---- r5           and what the kernels forward. No two ways around an odd ring are as long.
 */
const ROUTERS = 7;
const CLASSIC = new Set([6, 7]);
const PACKETS = 30;
/** One datagram per millisecond: type, source, destination, how many. */
const SENDER = `
const [type, source, address, packets] = process.argv.slice(1);
const socket = require('node:dgram').createSocket(type);
socket.bind(0, source, () => {
  let sent = 0;
  const timer = setInterval(() => {
    socket.send('waymark', 5000, address);
    if (++sent === Number(packets)) {
      clearInterval(timer);
      setTimeout(() => socket.close(), 100);
    }
  }, 1);
});`;
const skip = missingNeeds({ programs: ['ip', 'sysctl'], root: true });
const ring = Array.from({ length: ROUTERS }, (_, i) => i + 1);
const after = (router: number) => (router % ROUTERS) + 1;

const snapshot = freezeSnapshot(
  buildTed(
    [
      ...ring.map((i) => ({ id: `r${i}`, sidKind: CLASSIC.has(i) ? ('plain' as const) : ('next' as const) })),
      { id: 'h1', sidKind: 'next', msdHEncaps: 16 },
      { id: 'h2', sidKind: 'next', scope: 'igp' },
    ],
    [...ring.map((i) => ({ between: `r${i}-r${after(i)}` })), { between: 'h1-r1' }, { between: 'h2-r4' }],
  ),
);

/** By way of these routers, in order. */
function compute(...include: readonly number[]): {
  readonly links: readonly string[];
  readonly lists: readonly SegmentList[];
} {
  const request: PathRequest = {
    source: 'h1',
    destination: 'h2',
    metric: 'hop',
    constraints: { include: include.map((i) => ({ node: `r${i}` })) },
  };
  const answer = computePaths(snapshot, request);
  if (answer.status === 'no-path') throw new Error(answer.message);
  const [path] = answer.paths;
  return { links: path?.links ?? [], lists: path?.segmentLists ?? [] };
}

describe.skipIf(skip !== undefined)(`containers that kernels forward${skip === undefined ? '' : ` (${skip})`}`, () => {
  const machines = new Map<string, NetworkNamespace>();
  const at = (name: string): NetworkNamespace => {
    const machine = machines.get(name);
    if (machine === undefined) throw new Error(`there is no ${name}`);
    return machine;
  };

  beforeAll(async () => {
    for (const name of [...ring.map((i) => `r${i}`), 'h1', 'h2']) machines.set(name, await NetworkNamespace.create());
    for (const machine of machines.values()) {
      await machine.sysctl('net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.forwarding=1');
      await machine.sysctl('net.ipv6.conf.all.seg6_enabled=1 net.ipv6.conf.default.seg6_enabled=1');
    }
    const wires = [
      ...ring.map((i) => [`r${i}`, `r${after(i)}`] as const),
      ['h1', 'r1'] as const,
      ['h2', 'r4'] as const,
    ];
    for (const [number, [left, right]] of wires.entries()) {
      await at(left).ip(`link add to-${right} type veth peer name to-${left} netns ${at(right).name}`);
      for (const [machine, neighbor, host] of [
        [left, right, 1],
        [right, left, 2],
      ] as const) {
        await at(machine).ip(`addr add fd10:${number + 1}::${host}/64 dev to-${neighbor} nodad`);
        await at(machine).ip(`link set to-${neighbor} up`);
      }
    }
    const gateway = (from: string, to: string): string => {
      const number = wires.findIndex(([a, b]) => (a === from && b === to) || (a === to && b === from));
      return `via fd10:${number + 1}::${wires[number]?.[0] === to ? 1 : 2} dev to-${to}`;
    };
    for (const i of ring) {
      for (const j of ring.filter((other) => other !== i)) {
        const forward = (j - i + ROUTERS) % ROUTERS <= ROUTERS / 2;
        const next = `r${forward ? after(i) : ((i + ROUTERS - 2) % ROUTERS) + 1}`;
        await at(`r${i}`).ip(`-6 route add fd00:0:${j}::/48 ${gateway(`r${i}`, next)}`);
        if (j === 4) await at(`r${i}`).ip(`-6 route add fd00:0:9::/48 ${gateway(`r${i}`, next)}`);
      }
      const sids = snapshot.sidsOf(snapshot.nodeIndexOf(`r${i}`));
      for (const sid of sids) {
        const text = snapshot.sidTextOf(sid);
        const arc = snapshot.data.sidArc[sid] as number;
        const length = arc < 0 ? 48 : 64;
        const flavor = CLASSIC.has(i) ? '' : ` flavors next-csid lblen 32 nflen ${length - 32}`;
        const prefix = CLASSIC.has(i) ? `${text}/128` : `${text}/${length}`;
        const neighbor = arc < 0 ? '' : snapshot.nodeIdOf(snapshot.data.arcTo[arc] as number);
        const action = arc < 0 ? 'End' : `End.X nh6 ${gateway(`r${i}`, neighbor).split(' ')[1] ?? ''}`;
        const device = arc < 0 ? `to-r${after(i)}` : `to-${neighbor}`;
        await at(`r${i}`).ip(`-6 route add ${prefix} encap seg6local action ${action}${flavor} dev ${device}`);
      }
    }
    await at('r4').ip(`-6 route add fd00:0:9::/48 ${gateway('r4', 'h2')}`);
    await at('h1').ip(`-6 route add default ${gateway('h1', 'r1')}`);
    await at('h1').ip('addr add fd01::1/128 dev lo');
    await at('h1').ip('addr add 10.1.0.1/32 dev lo');
    await at('h2').ip('addr add fd02::1/128 dev lo');
    await at('h2').ip('addr add 10.2.0.1/32 dev lo');
    await at('h2').ip('-6 route add local fd02::1/128 dev lo table 254 metric 1');
    await at('h2').sysctl(
      'net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.to-r4.rp_filter=0',
    );
    const owner = new ReconciledAgent(dataPlane('h2', 'reduced'), [
      { sid: 'fd00:0:9:d4::', behavior: 'End.DT4' },
      { sid: 'fd00:0:9:d6::', behavior: 'End.DT6' },
    ]);
    await owner.want();
    expect(owner.reconciler.health.error).toBeNull();
  }, 60_000);

  afterAll(async () => {
    for (const machine of machines.values()) await machine.remove();
  });

  function dataPlane(name: string, encapMode: 'full' | 'reduced'): LinuxDataPlane {
    const settings = { ...LINUX_DEFAULTS, manageSysctls: true, ownsLocalSids: true, encapMode };
    return new LinuxDataPlane(settings, at(name).shell);
  }

  /** Packets that came in over each link of the ring so far. */
  async function crossings(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const i of ring) {
      for (const neighbor of [`r${after(i)}`, `r${((i + ROUTERS - 2) % ROUTERS) + 1}`]) {
        const text = await at(`r${i}`).ip(`-s -j link show dev to-${neighbor}`);
        counts.set(`${neighbor}:r${i}`, Number(/"rx":\{"bytes":\d+,"packets":(\d+)/.exec(text)?.[1]));
      }
    }
    return counts;
  }

  /** Datagrams that came to a port of h2 on which nobody listens. */
  async function arrivals(): Promise<{ readonly ipv4: number; readonly ipv6: number }> {
    const { stdout } = await at('h2').shell.run('cat', ['/proc/net/snmp', '/proc/net/snmp6']);
    const [names = '', values = ''] = stdout.split('\n').filter((line) => line.startsWith('Udp:'));
    const ipv4 = Number(values.split(' ')[names.split(' ').indexOf('NoPorts')]);
    return { ipv4, ipv6: Number(/Udp6NoPorts\s+(\d+)/.exec(stdout)?.[1]) };
  }

  const cases: readonly (readonly [what: string, include: readonly number[], entries: number])[] = [
    ['one container, the long way around', [7, 5], 1],
    ['several containers, back and forth', [3, 1, 3, 1, 4, 1, 3, 7, 3], 2],
    ['containers around routers without C-SIDs', [6, 2], 2],
  ];
  const runs = cases.flatMap(([what, include, entries]) =>
    (['reduced', 'full'] as const).map((mode) => ({ what, include, entries, mode })),
  );

  it.each(runs)('$what, $mode encapsulation', async ({ include, entries, mode }) => {
    const { links, lists } = compute(...include);
    expect(lists.map((list) => list.entries.length)).toEqual([entries, entries]);
    expect(lists.every((list) => list.segments.length > list.entries.length)).toBe(true);
    const [forIpv4 = [], forIpv6 = []] = lists.map((list) => list.entries.map(({ address }) => address));
    const agent = new ReconciledAgent(dataPlane('h1', mode));
    await agent.want({
      id: 'h1:10:h2',
      ipv4: { lists: [[1, ...forIpv4]], prefixes: ['10.2.0.0/24'] },
      ipv6: { lists: [[1, ...forIpv6]], prefixes: ['fd02::/64'] },
    });
    expect(agent.outcome('h1:10:h2')?.outcome).toBe('installed');

    const before = { crossed: await crossings(), arrived: await arrivals() };
    // Nothing leads back, so nothing else is on the links.
    for (const [type, source, address] of [
      ['udp4', '10.1.0.1', '10.2.0.1'],
      ['udp6', 'fd01::1', 'fd02::1'],
    ] as const) {
      const { code, stderr } = await at('h1').shell.run(process.execPath, [
        '-e',
        SENDER,
        type,
        source,
        address,
        String(PACKETS),
      ]);
      expect([code, stderr]).toEqual([0, '']);
    }
    const wanted = { ipv4: before.arrived.ipv4 + PACKETS, ipv6: before.arrived.ipv6 + PACKETS };
    await eventually(
      'all packets arrive',
      arrivals,
      ({ ipv4, ipv6 }) => ipv4 >= wanted.ipv4 && ipv6 >= wanted.ipv6,
      10_000,
    );
    expect(await arrivals()).toEqual(wanted);
    const times = (link: string) => links.filter((other) => other === link).length;
    for (const [link, count] of await crossings()) {
      const packets = count - (before.crossed.get(link) ?? 0);
      // Besides ours there is the odd packet of neighbor discovery.
      expect(Math.floor(packets / PACKETS), `${link}: ${packets} packets`).toBe(2 * times(link));
    }
    await agent.reconciler.stop();
  });
});
