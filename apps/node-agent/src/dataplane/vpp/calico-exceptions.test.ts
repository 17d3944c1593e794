import type { Forwarding } from '@waymark/vpp-stand-in';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ForeignVpp } from '../../testing/foreign-vpp.js';
import type { PolicySketch } from '../../testing/policies.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { standInOnly, TEST_SETTINGS, VppHarness } from '../../testing/vpp-harness.js';
import { withdraw } from '../../reconcile/withdraw.js';
import { neededExceptions } from '../needed-exceptions.js';
import { VppDataPlane } from './vpp-data-plane.js';
import { VppLink, type Vpp } from './vpp-link.js';

const PODS = 2;
const TABLES = (['ipv4', 'ipv6'] as const).map((family) => ({ id: PODS, family }));

describe('which routes of Calico-VPP need an exception', () => {
  const needed = (steered: string[], routes: string[], byCalico: string[] = [], edge: string[] = []) => [
    ...neededExceptions(steered, routes, new Set(byCalico), edge),
  ];

  it('those inside a steered prefix, not the prefix itself, what is outside or around, or what Calico steers', () => {
    const routes = ['10.1.0.0/16', '10.1.2.0/26', '10.1.2.7/32', '10.1.3.0/26', '10.1.3.9/32', '10.9.0.1/32'];
    expect(needed(['10.1.2.0/26'], routes)).toEqual(['10.1.2.7/32']);
    expect(needed(['10.1.0.0/16'], routes, ['10.1.2.0/26', '10.1.3.0/26'])).toEqual(['10.1.2.7/32', '10.1.3.9/32']);
    expect(needed([], routes)).toEqual([]);
  });

  it('none that leads into an edge block, which pods must not reach', () => {
    expect(needed(['::/0'], ['fcff:1::1/128', 'fd10::7/128'], [], ['fcff::/16'])).toEqual(['fd10::7/128']);
  });

  it('none of the other family', () => {
    expect(needed(['0.0.0.0/0'], ['fd10::7/128', '10.1.2.7/32'])).toEqual(['10.1.2.7/32']);
  });
});

/** Lets something happen between the first exception and what comes next, for as long as it takes. */
class InterruptedLink extends VppLink {
  interruption: (() => unknown) | null = null;

  #interrupted: Vpp | undefined;

  override async open(): Promise<Vpp> {
    return (this.#interrupted ??= this.#interrupt(await super.open()));
  }

  #interrupt(vpp: Vpp): Vpp {
    let laid = false;
    return {
      call: async (request, values, options) => {
        const reply = await vpp.call(request, values, options);
        laid ||= request === 'ip_route_add_del' && JSON.stringify(values).includes('10.244.2.9/32');
        return reply;
      },
      dump: async (request, values, options) => {
        if (laid && this.interruption !== null) {
          const interrupt = this.interruption;
          this.interruption = null;
          interrupt();
          // VPP answers in order, so that whatever does not wait for its turn is over by then.
          for (let pings = 0; pings < 50; pings += 1) await vpp.call('control_ping', {});
        }
        return vpp.dump(request, values, options);
      },
    };
  }
}

const REMOTE: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: { lists: [[1, 'fc00:1::1', 'fcdd::d4']], prefixes: ['10.244.2.0/26'] },
  ipv6: { lists: [[1, 'fc00:1::1', 'fcdd::d6']], prefixes: ['fd20:2::/122', 'fd11::/64'] },
};

const title = `VPP beside Calico-VPP${standInOnly ? ` (${standInOnly})` : ''}`;
describe.skipIf(standInOnly !== undefined)(title, () => {
  let harness: Awaited<ReturnType<typeof VppHarness.onStandIn>>;
  let dataPlane: VppDataPlane;
  let agent: ReconciledAgent;

  beforeEach(async () => {
    const settings = { table: PODS, besideCalico: true, localSidBlock: null, edgeBlocks: ['fcdd::/16'] };
    harness = await VppHarness.onStandIn(settings, { tables: TABLES });
    dataPlane = harness.open();
    agent = new ReconciledAgent(dataPlane);
    await asCalico(async (calico) => {
      // Its steering of remote pod blocks, one address that a local pod has borrowed of one, nodes, local pods.
      await calico.addPolicy('cafe::1', [[1, 'fcdd::d4']]);
      await calico.addPolicy('cafe::2', [[1, 'fcdd::d6']]);
      await calico.steer(0, '10.244.2.0/26', 'cafe::1');
      await calico.steer(0, 'fd20:2::/122', 'cafe::2');
      await calico.routeOut(0, '10.244.2.9/32', 2, '0.0.0.0');
      await calico.routeOut(0, 'fd20:2::9/128', 2, '::');
      await calico.routeOut(0, '10.244.1.5/32', 2, '0.0.0.0');
      await calico.routeOut(0, 'fd11::1002/128', 1, 'fe80::2');
      await calico.routeOut(0, 'fcdd::1/128', 1, 'fe80::2');
      await calico.route(PODS, '0.0.0.0/0', { table: 0 });
      await calico.route(PODS, '::/0', { table: 0 });
    });
  });
  afterEach(async () => {
    await agent.reconciler.stop();
    const { standIn } = harness;
    await harness.close();
    expect(standIn.log.filter(({ name }) => name.startsWith('sr_localsid_add'))).toEqual([]);
    expect(standIn.crashes).toEqual([]);
  });

  const asCalico = (work: (calico: ForeignVpp) => Promise<void>): Promise<void> =>
    harness.using((vpp) => work(new ForeignVpp(vpp)));
  const fate = (destination: string): Forwarding => harness.standIn.route(PODS, destination);
  const DESTINATIONS = ['10.244.2.7', '10.244.2.9', '10.244.1.5', 'fd20:2::7', 'fd20:2::9', 'fd11::1002', '10.9.9.9'];
  const exceptions = (): string[] =>
    harness.standIn.tables
      .filter(({ id }) => id === PODS)
      .flatMap(({ routes }) => routes.filter(({ source, target }) => source === 'api' && target.kind === 'paths'))
      .map(({ prefix }) => prefix)
      .filter((prefix) => !prefix.endsWith('/0') && prefix !== 'fcdd::/16')
      .sort();

  it('shadows its steering for pods, and borrowed addresses and nodes stay reachable', async () => {
    const before = DESTINATIONS.map(fate);
    await agent.want(REMOTE);
    expect(agent.outcome(REMOTE.id)).toMatchObject({ outcome: 'installed', reason: '' });
    expect(fate('10.244.2.7')).toMatchObject({ kind: 'policy', lists: [{ segments: ['fc00:1::1', 'fcdd::d4'] }] });
    expect(fate('fd20:2::7')).toMatchObject({ kind: 'policy', lists: [{ segments: ['fc00:1::1', 'fcdd::d6'] }] });
    for (const destination of ['10.244.2.9', '10.244.1.5', 'fd20:2::9', 'fd11::1002', '10.9.9.9']) {
      expect(fate(destination)).toEqual(before[DESTINATIONS.indexOf(destination)]);
    }
    expect(harness.standIn.route(0, '10.244.2.7')).toMatchObject({ bsid: 'cafe::1' });
    expect(exceptions()).toEqual(['10.244.2.9/32', 'fd11::1002/128', 'fd20:2::9/128']);
    expect(fate('fcdd::1')).toMatchObject({ kind: 'drop', reason: 'drop-route' });
  });

  it('keeps what needs an exception reachable at every moment, that of steering too', async () => {
    const before = fate('10.244.2.9');
    await agent.want(REMOTE);
    await agent.want();
    const fates = harness.standIn.history(PODS, '10.244.2.9').map(({ forwarding }) => forwarding);
    const since = fates.findIndex((each) => JSON.stringify(each) === JSON.stringify(before));
    expect(since).toBeGreaterThan(-1);
    expect(fates.slice(since)).toEqual([before]);
  });

  it('restores its paths exactly when what is ours is withdrawn', async () => {
    const before = [DESTINATIONS.map(fate), exceptions()];
    await agent.want(REMOTE);
    await agent.want();
    await withdraw(dataPlane);
    expect([DESTINATIONS.map(fate), exceptions()]).toEqual(before);
    expect(fate('fcdd::1')).toMatchObject({ kind: 'route' });
    expect(harness.standIn.policies.map(({ bsid }) => bsid)).toEqual(['cafe::1', 'cafe::2']);
  });

  it('adds an exception for a pod that comes, and removes that of one that went, without being asked', async () => {
    const settled = () => expect(exceptions()).toEqual(['10.244.2.30/32', 'fd11::1002/128', 'fd20:2::9/128']);
    await agent.want(REMOTE);
    await asCalico(async (calico) => {
      await calico.route(0, '10.244.2.9/32', 'nowhere');
      await calico.routeOut(0, '10.244.2.30/32', 2, '0.0.0.0');
    });
    const stop = dataPlane.watch(() => undefined);
    await vi.waitFor(settled, { timeout: 20_000 });
    stop();
    expect(fate('10.244.2.9')).toMatchObject({ kind: 'policy', lists: [{ segments: ['fc00:1::1', 'fcdd::d4'] }] });
    expect(fate('10.244.2.30')).toMatchObject({ kind: 'route' });
  });

  it('does not take an exception for unneeded between laying it and steering', async () => {
    const link = new InterruptedLink(harness.standIn.socketPath);
    const { standIn } = harness;
    const interrupted = new VppDataPlane({ ...TEST_SETTINGS, table: PODS, besideCalico: true }, link);
    // Preparing looks at the routes, and at the steering there is so far, just as the poll does.
    let preparing: Promise<unknown> = Promise.resolve();
    link.interruption = () => (preparing = interrupted.prepare());
    const walker = new ReconciledAgent(interrupted);
    await walker.want(REMOTE);
    await walker.reconciler.stop();
    await preparing;
    interrupted.close();
    expect(link.interruption).toBeNull();
    const removals = standIn.log.filter(({ name, fields }) => name === 'ip_route_add_del' && fields['isAdd'] === false);
    expect(removals).toEqual([]);
    expect(exceptions()).toEqual(['10.244.2.9/32', 'fd11::1002/128', 'fd20:2::9/128']);
  });

  it('forgets and lays its exceptions anew when VPP was restarted', async () => {
    await agent.want(REMOTE);
    await harness.standIn.restart();
    await asCalico(async (calico) => {
      await calico.routeOut(0, '10.244.2.9/32', 2, '0.0.0.0');
    });
    await vi.waitFor(async () => {
      await agent.reconciler.reconcile();
      expect(agent.reconciler.health.error).toBeNull();
    });
    expect(exceptions()).toEqual(['10.244.2.9/32']);
    expect(fate('10.244.2.7')).toMatchObject({ kind: 'policy' });
  });

  it("leaves Calico-VPP's own policies, steering and routes as they are", async () => {
    const own = (): Promise<unknown> =>
      harness.using((vpp) => new ForeignVpp(vpp).inventory('fdff::/16', ['10.244.2.0/26', 'fd20:2::/122']));
    const routes = () => harness.standIn.tables.find(({ id, family }) => id === 0 && family === 'ipv4')?.routes;
    const before = [await own(), routes()];
    await agent.want(REMOTE);
    await agent.want({ ...REMOTE, ipv4: { lists: 'drop', prefixes: ['10.244.2.0/26'] } });
    expect([await own(), routes()]).toEqual(before);
    expect(fate('10.244.2.9')).toMatchObject({ kind: 'route' });
  });
});
