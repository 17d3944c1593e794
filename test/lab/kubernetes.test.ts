import { apiVersion, customResourceDefinition, customResourceKinds } from '@waymark/kubernetes-resources';
import { LINUX_DEFAULTS } from '@waymark/node-agent';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { missingNeeds } from '../require-program.js';
import { blockOf, DataCentre, type Reference, type Shown } from './data-centre.js';
import { eventually } from './eventually.js';
import { kernelRoutes, type KernelRoute } from './kernel-routes.js';
import { LAB_PROGRAMS } from './lab.js';
import { leftOnNode, NOTHING, type LeftOnNode } from './left-on-node.js';
import { ipBatch } from './namespaces.js';
import { PluginTunnels } from './plugin-tunnels.js';
import type { Flow, ProbeReport } from './probe.js';
import { RouteMonitor } from './route-monitor.js';
import { FAMILIES, FASTEST, nameOf, OVER_R2_R7, Stage } from './stage.js';
import type { Host, Pod } from './testbed.js';

const missing = missingNeeds({ programs: [...LAB_PROGRAMS, 'openssl', 'redis-server'], root: true });
const title = `packet lab: Kubernetes${missing === undefined ? '' : ` (${missing})`}`;
const POLICY = 'worker1:100:worker2';
const AGENT = String(LINUX_DEFAULTS.protocol);
/** What three links lead along; the IGP takes either. */
const BY_IGP = [OVER_R2_R7, ['R3', 'R4', 'R6', 'R8']];

const mesh: Reference = { apiVersion, kind: 'PolicyMesh', metadata: { name: 'between-data-centres' } };
const lowLatency: Reference = { apiVersion, kind: 'PolicyMesh', metadata: { name: 'low-latency' } };
const byDelay = { discriminator: 1, path: { kind: 'dynamic', metric: 'delay', constraints: {} } };
/** Leads over the only links between R3 and R8 that have so much. */
const byBandwidth = { discriminator: 1, path: { kind: 'dynamic', metric: 'igp', constraints: { bandwidthBps: 2e9 } } };
const BULK = OVER_R2_R7;
/** In both directions. */
const links = (...ids: string[]) => ids.flatMap((id) => [id, id.split(':').reverse().join(':')]);
const constraint = (name: string, spec: object): Reference => ({
  ...{ apiVersion, kind: 'LinkConstraint', metadata: { name }, spec },
});
const narrow = constraint('narrow', {
  links: links('R4:R5', 'R5:R6', 'R4:R6', 'R6:R7', 'R6:R8'),
  constraints: { bandwidthBps: 1e9 },
});
/** A cluster does not say what its nodes' links carry. */
const access = constraint('access', {
  links: links('R3:master', 'R3:worker1', 'R8:worker2'),
  constraints: { bandwidthBps: 1e10 },
});

/*
 *   paris: an API server; nodes master and worker1 at R3          rome: another; node worker2 at R8
 *
 * The file has routers and links only. The network plugin's tunnels are there from the start, along the IGP's shortest path.
 */
describe.skipIf(missing !== undefined)(title, { timeout: 240_000 }, () => {
  let paris: DataCentre;
  let rome: DataCentre;
  let stage: Stage;
  let plugin: PluginTunnels;

  beforeAll(async () => {
    [paris, rome] = await Promise.all([DataCentre.start('paris', 'R3'), DataCentre.start('rome', 'R8')]);
    stage = await Stage.start({ holdMs: 1000, dataCentres: [paris, rome] });
    plugin = new PluginTunnels(stage.lab.namespaces, stage.lab.testbed);
    await plugin.lay();
  }, 240_000);

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log((stage as Stage | undefined)?.waymark.logs());
  });

  afterAll(async () => {
    // A start that failed half-way has removed what it built.
    const started = stage as Stage | undefined;
    console.log(`\n${String(started?.report)}\n`);
    await started?.stop();
    await Promise.all([paris.server.close(), rome.server.close()]);
  }, 60_000);

  const shows = (object: Reference, type: string, reason: string): Promise<Shown | undefined> =>
    eventually(
      `${object.metadata.name} ${type}, ${reason}`,
      () => paris.find(object),
      (shown) =>
        shown?.status?.conditions?.some(
          (one) => one.type === type && one.reason === reason && one.observedGeneration === shown.metadata.generation,
        ) === true,
    );

  /** Blocks that the agents of these hosts have put into tunnels. */
  const steered = async (...hosts: readonly string[]): Promise<readonly KernelRoute[]> => {
    const { namespaces, testbed } = stage.lab;
    const blocks = testbed.pods.flatMap((pod) => FAMILIES.map((family) => blockOf(pod, family)));
    const routes = await Promise.all(hosts.map((id) => kernelRoutes(namespaces, id)));
    return routes.flat().filter(({ protocol, prefix }) => protocol === AGENT && blocks.includes(prefix));
  };

  /** Until the pod's host asks for the pod's own addresses first, or no longer does. What they lead to is there before them. */
  const classed = async ({ host, address }: Pod, expected: boolean): Promise<void> => {
    const sources = async (): Promise<readonly (string | undefined)[]> => {
      const rules = await Promise.all(
        ['-4', '-6'].map((family) => stage.lab.namespaces.run(host, ['ip', family, '-j', 'rule', 'show'])),
      );
      return rules.flatMap((json) => JSON.parse(json) as readonly { src?: string }[]).map(({ src }) => src);
    };
    await eventually(`${host} has ${expected ? '' : 'no '}rules of its class`, sources, (found) =>
      FAMILIES.every((family) => found.includes(address[family]) === expected),
    );
  };

  const bothFamilies = (from: Pod, to: Pod): readonly Flow[] => FAMILIES.map((family) => ({ from, to, family }));
  const pods = (host: string): readonly [Pod, Pod] => stage.host(host).pods;

  /** Between the data centres, in both directions and families. */
  const crossing = (): readonly Flow[] => [
    ...bothFamilies(pods('worker1')[0], pods('worker2')[0]),
    ...bothFamilies(pods('worker2')[0], pods('worker1')[0]),
  ];

  const nothingLost = (scenario: string, flows: readonly Flow[], reports: readonly ProbeReport[]): void => {
    for (const [index, report] of reports.entries()) {
      const flow = flows[index];
      stage.report.stream({ scenario, flow: flow === undefined ? '' : nameOf(flow), expected: '0 lost', report });
    }
    expect(reports.map(({ lost, duplicates }) => ({ lost, duplicates }))).toEqual(
      flows.map(() => ({ lost: 0, duplicates: 0 })),
    );
  };

  it('makes hosts of nodes and blocks that appear in two clusters; pods go by the plugin', async () => {
    await stage.learn();
    const { rest } = stage.waymark;
    expect(await rest.head()).toMatchObject({ routers: 8, hosts: 0 });
    const pools = { ipv4: '10.244.0.0/16', ipv6: 'fd40::/32' };
    for (const centre of [paris, rome]) await centre.addPools(pools);
    for (const host of stage.lab.testbed.hosts) {
      const centre = host.attachment === paris.attachment ? paris : rome;
      await centre.addNode(host);
      for (const pod of host.pods) for (const family of FAMILIES) await centre.addBlock(host.id, blockOf(pod, family));
    }
    for (const host of stage.lab.testbed.hosts) {
      const blocks = host.pods.flatMap((pod) => FAMILIES.map((family) => blockOf(pod, family)));
      await eventually(
        `${host.id} with its blocks and service SIDs`,
        async () => (await rest.nodes()).map(({ effective }) => effective).find(({ id }) => id === host.id),
        (node) =>
          node?.kind === 'host' &&
          node.address === host.address &&
          blocks.every((block) => node.podPrefixes.includes(block)) &&
          Object.values(host.serviceSid).every((address) => node.sids.some(({ sid }) => sid === address)),
      );
    }
    await stage.measure(Object.fromEntries(stage.lab.testbed.arcs.map(({ id, delayUs }) => [id, delayUs])));
    for (const flow of crossing().slice(0, 2)) await stage.expectRoute('by the plugin', flow, ...BY_IGP);
  });

  it('makes policies of a mesh object, and packets take them', async () => {
    const flows = crossing();
    const reports = await stage.underProbes(flows, async () => {
      await paris.create({ ...mesh, spec: { color: 100, selector: { all: true }, candidatePaths: [byDelay] } });
      await shows(mesh, 'Installed', 'AllReadBack');
    });
    nothingLost('the mesh comes', flows, reports);
    // Two families of two pods on each of two other hosts.
    expect(await steered('master', 'worker1', 'worker2')).toHaveLength(3 * 8);
    for (const flow of flows.slice(0, 2)) await stage.expectRoute('mesh object', flow, FASTEST);
    for (const flow of flows.slice(2)) await stage.expectRoute('mesh object', flow, FASTEST.toReversed());
  });

  it('moves a block to another node without a gap', async () => {
    const { namespaces } = stage.lab;
    const [, pod] = pods('worker1');
    // The pod is on both nodes at once, as the same address before and after a migration: what either gets, it counts.
    await ipBatch([
      `link add moved netns ${namespaces.name('master')} type veth peer name eth1 netns ${namespaces.name(pod.id)}`,
    ]);
    await namespaces.ip(pod.id, ['link set eth1 up', `address add ${pod.address.ipv6}/128 dev eth1 nodad`]);
    await namespaces.ip('master', [
      'link set moved up',
      `route add ${pod.address.ipv4}/32 dev moved`,
      `route add ${pod.address.ipv6}/128 dev moved`,
    ]);
    const flows = bothFamilies(pods('worker2')[0], pod);
    const endpointOf = async (): Promise<readonly (string | undefined)[]> => {
      const routes = await kernelRoutes(namespaces, 'worker2');
      return FAMILIES.map((family) =>
        routes
          .find(({ prefix, protocol }) => protocol === AGENT && prefix === blockOf(pod, family))
          ?.segmentList.at(-1),
      );
    };
    const reports = await stage.underProbes(flows, async () => {
      for (const family of FAMILIES) await paris.deleteBlock('worker1', blockOf(pod, family));
      for (const family of FAMILIES) await paris.addBlock('master', blockOf(pod, family));
      await eventually('worker2 sends the block to master', endpointOf, (sids) =>
        FAMILIES.every((family, index) => sids[index] === stage.host('master').serviceSid[family]),
      );
    });
    nothingLost('a block moves', flows, reports);
    await plugin.route(pod, 'master');
    const moved = { ...pod, host: 'master' };
    for (const flow of bothFamilies(pods('worker2')[0], moved))
      await stage.expectRoute('moved block', flow, FASTEST.toReversed());
  });

  it('withdraws nothing while an API server is down', async () => {
    const { rest } = stage.waymark;
    const troubles = () => rest.clusters();
    const [flow] = crossing();
    if (flow === undefined) throw new Error('no flow');
    const monitors = await Promise.all(
      stage.lab.testbed.hosts.map(({ id }) => RouteMonitor.start(stage.lab.namespaces, id)),
    );
    const reports = await stage.underProbes([flow], async () => {
      await paris.server.faults.goDown();
      await eventually('paris in trouble', troubles, ([first]) => first?.trouble?.includes('ECONNREFUSED') === true);
    });
    nothingLost('API server down', [flow], reports);
    for (const monitor of monitors) expect(await monitor.stop()).toEqual([]);
    await stage.expectRoute('API server down', flow, FASTEST);
    // What is measured is followed as ever.
    await stage.measure({ 'R6:R7': 12_000, 'R7:R6': 12_000 });
    await stage.moved(POLICY, OVER_R2_R7);
    await stage.expectRoute('and R6-R7 slower', flow, OVER_R2_R7);
    await stage.measure({ 'R6:R7': 2000, 'R7:R6': 2000 });
    await stage.moved(POLICY, FASTEST);
    await paris.server.faults.comeUp();
    await eventually('paris answers', troubles, ([first]) => first?.trouble === null);
  });

  it('moves the pods of a namespace that gets a label to the way of its color, and back', async () => {
    const { rest } = stage.waymark;
    const [trading, backup] = pods('worker2');
    const there = pods('worker1')[0];
    for (const [namespace, pod] of Object.entries({ trading, backup })) {
      await rome.addNamespace(namespace);
      await rome.addPod(namespace, pod);
    }
    const flows = [...bothFamilies(trading, there), ...bothFamilies(backup, there)];
    const reports = await stage.underProbes(flows, async () => {
      // The way of least delay has little bandwidth: everybody's policies need more.
      for (const object of [narrow, access]) {
        await paris.create(object);
        await shows(object, 'Accepted', 'Accepted');
      }
      await paris.patch({ ...mesh, spec: { candidatePaths: [byBandwidth] } });
      await stage.moved('worker2:100:worker1', BULK.toReversed());
      await paris.create({ ...lowLatency, spec: { color: 200, selector: { all: true }, candidatePaths: [byDelay] } });
      await shows(lowLatency, 'Installed', 'AllReadBack');
      await stage.expectRouteOfStreams('two meshes', 'worker2', 'worker1', BULK.toReversed());
      await rome.colorNamespace('trading', '200');
      await classed(trading, true);
      await stage.expectRouteOfStreams('label set', 'worker2', 'worker1', BULK.toReversed(), FASTEST.toReversed());
    });
    nothingLost('label set', flows, reports);
    await eventually(
      'the class is installed',
      () => rest.serviceClasses(),
      ([first]) => first?.headend === 'worker2' && first.color === 200 && first.install === 'installed',
    );
    for (const flow of flows.slice(0, 2)) await stage.expectRoute('labelled', flow, FASTEST.toReversed());
    for (const flow of flows.slice(2)) await stage.expectRoute('not labelled', flow, BULK.toReversed());
    const after = await stage.underProbes(flows, async () => {
      await rome.colorNamespace('trading', null);
      await classed(trading, false);
      await stage.expectRouteOfStreams('label removed', 'worker2', 'worker1', BULK.toReversed());
    });
    nothingLost('label removed', flows, after);
    for (const flow of flows.slice(0, 2)) await stage.expectRoute('label removed', flow, BULK.toReversed());
    await eventually(
      'there is no class',
      () => rest.serviceClasses(),
      (classes) => classes.length === 0,
    );
  });

  it('is left by the documented steps, and nothing is lost or left behind', async () => {
    const { waymark, lab } = stage;
    const { hosts } = lab.testbed;
    const left = (host: string): Promise<LeftOnNode> => leftOnNode(lab.namespaces, host, waymark.agentFolder);
    // Whatever an agent may have laid: with probes and an edge, too.
    const settingsOf = ({ probePrefix }: Host) => ({
      WAYMARK_PROBE_PREFIX: probePrefix,
      WAYMARK_EDGE_BLOCKS: 'fcff::/16,fcdd::/16',
    });
    const flows = crossing();
    const reports = await stage.underProbes(flows, async () => {
      for (const host of hosts) {
        await waymark.stopAgent(host.id);
        waymark.startAgent(host.id, settingsOf(host));
        await eventually(
          `${host.id} with everything`,
          () => left(host.id),
          ({ routes, rules, device, edge, folder }) =>
            routes.length > 0 && rules.length > 0 && device && edge && folder,
        );
      }
      await rome.colorNamespace('trading', '200');
      await classed(pods('worker2')[0], true);
      // 1. There is another way: routes of a metric above the agents'.
      const others = await lab.namespaces.run('worker1', [
        ...['ip', '-6', 'route', 'show', blockOf(pods('worker2')[0], 'ipv6')],
      ]);
      expect(others).toContain('metric 1000');
      // 2. Objects first. Each waits for its headends, also for one whose agent is away.
      await waymark.killAgent('worker2');
      const objects = [mesh, lowLatency, narrow, access];
      for (const object of objects) await paris.delete(object);
      await eventually(
        'those that run have let go',
        () => steered('master', 'worker1'),
        (routes) => routes.length === 0,
      );
      expect(await steered('worker2')).not.toEqual([]);
      expect(await paris.find(mesh)).toMatchObject({ metadata: { finalizers: ['waymark.dev/withdraw'] } });
      waymark.startAgent('worker2', settingsOf(stage.host('worker2')));
      await eventually(
        'the objects are gone',
        () => Promise.all(objects.map((object) => paris.find(object))),
        (found) => found.every((shown) => shown === undefined),
      );
      expect(await steered('master', 'worker1', 'worker2')).toEqual([]);
      expect(await waymark.rest.policies()).toEqual([]);
      // 3. Agents clean up, one node after the other.
      for (const host of hosts) {
        expect(await left(host.id)).not.toEqual(NOTHING);
        await waymark.withdrawAgent(host.id, settingsOf(host));
        expect(await left(host.id)).toEqual(NOTHING);
      }
      // 4. to 6. Agents, controllers, definitions.
      for (const { id } of hosts) await waymark.stopAgent(id);
      await waymark.stopController();
      for (const kind of customResourceKinds) await paris.delete(customResourceDefinition(kind));
    });
    nothingLost('left', flows, reports);
    for (const { id } of hosts) expect(await left(id)).toEqual(NOTHING);
    for (const flow of flows.slice(0, 2)) await stage.expectRoute('left, by the plugin', flow, ...BY_IGP);
  });
});
