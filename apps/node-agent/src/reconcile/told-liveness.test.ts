import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProbeRoute } from '../dataplane/port.js';
import type { ListUse, LivenessPort } from '../liveness/path-liveness.js';
import type { JudgedLiveness } from '../liveness/probe-engine.js';
import { hashOf } from '../testing/expectations.js';
import type { PolicySketch } from '../testing/policies.js';
import { ReconciledAgent } from '../testing/reconciled-agent.js';
import { WatchedPlane } from '../testing/watched-plane.js';

describe('the reconciler, told which lists deliver', () => {
  const OWN = ['fc00:a::1', 'fc00:2::d4'] as const;
  const STANDBY = ['fc00:b::1', 'fc00:2::d4'] as const;
  const twin = (sids: readonly string[]) => [sids[0] ?? '', 'fc00:2::d6'] as const;
  const sketch: PolicySketch = {
    id: 'h1:10:e2',
    ipv4: { lists: [[1, ...OWN]], standby: [[1, ...STANDBY]], prefixes: ['10.2.0.0/24'] },
    ipv6: { lists: [[1, ...twin(OWN)]], standby: [[1, ...twin(STANDBY)]], prefixes: ['fd02::/64'] },
  };
  let liveness: TestLiveness;
  let plane: WatchedPlane;
  let agent: ReconciledAgent;

  /** Says what it is told to say, of the lists for IPv6. */
  class TestLiveness implements LivenessPort {
    readonly states = new Map<string, JudgedLiveness>();
    uses: readonly ListUse[] = [];
    expect(): void {
      // Nothing is probed here.
    }
    livenessOf(sids: readonly string[]): JudgedLiveness {
      return this.states.get(sids.join()) ?? 'unknown';
    }
    conclude(_: readonly ProbeRoute[], uses: readonly ListUse[]): void {
      this.uses = uses;
    }
    say(own: JudgedLiveness, standby: JudgedLiveness): this {
      this.states.set(twin(OWN).join(), own).set(twin(STANDBY).join(), standby);
      return this;
    }
  }

  const firstSids = async () =>
    Object.values(await agent.forwarding()).map((action) =>
      action.kind === 'encapsulate' ? action.segmentLists.map(({ sids }) => sids[0]) : [],
    );

  beforeEach(async () => {
    plane = new WatchedPlane();
    liveness = new TestLiveness().say('up', 'up');
    agent = new ReconciledAgent(plane, [], liveness);
    await agent.want(sketch);
  });
  afterEach(async () => {
    await agent.reconciler.stop();
  });

  it('switches both families to standby and back, and calls it neither drift nor news', async () => {
    expect(await firstSids()).toEqual([[OWN[0]], [OWN[0]]]);
    const reports = agent.reports.length;
    liveness.say('down', 'up');
    await agent.reconciler.reconcile();
    expect(await firstSids()).toEqual([[STANDBY[0]], [STANDBY[0]]]);
    expect(liveness.uses.map(({ sids, standby, inUse }) => [sids[0], standby, inUse])).toEqual([
      [OWN[0], false, false],
      [STANDBY[0], true, true],
      [OWN[0], false, false],
      [STANDBY[0], true, true],
    ]);
    liveness.say('up', 'up');
    await agent.reconciler.reconcile();
    expect(await firstSids()).toEqual([[OWN[0]], [OWN[0]]]);
    expect(agent.reconciler.health.driftRepairs).toBe(0);
    expect(agent.reports).toHaveLength(reports);
    expect(agent.outcome('h1:10:e2')?.outcome).toBe('simulated');
    expect(agent.lastReport.readBackHash).toEqual(hashOf(agent.desired));
  });

  it('repairs what is not the effective tunnel, and counts it', async () => {
    liveness.say('down', 'up');
    await agent.reconciler.reconcile();
    await plane.apply([{ kind: 'unsteer', family: 'ipv4', prefix: '10.2.0.0/24', color: null }]);
    await agent.reconciler.reconcile();
    expect(await firstSids()).toEqual([[STANDBY[0]], [STANDBY[0]]]);
    expect(agent.reconciler.health.driftRepairs).toBe(1);
  });

  it('started again, leaves the switch in force until probes have told', async () => {
    liveness.say('down', 'up');
    await agent.reconciler.reconcile();
    const applied = plane.applied.length;
    const later = new TestLiveness().say('settling', 'settling');
    agent = new ReconciledAgent(plane, [], later);
    await agent.want(sketch);
    later.say('settling', 'up');
    await agent.reconciler.reconcile();
    later.say('down', 'up');
    await agent.reconciler.reconcile();
    expect(plane.applied).toHaveLength(applied);
    expect(agent.outcome('h1:10:e2')?.outcome).toBe('simulated');
    later.say('up', 'up');
    await agent.reconciler.reconcile();
    expect(await firstSids()).toEqual([[OWN[0]], [OWN[0]]]);
  });

  it('keeps a prefix steered whatever the probes say', async () => {
    const states = fc.constantFrom<JudgedLiveness>('up', 'down', 'unknown', 'settling');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(states, states), { maxLength: 12 }), async (history) => {
        for (const [own, standby] of history) {
          liveness.say(own, standby);
          await agent.reconciler.reconcile();
          const [ipv4, ipv6] = await firstSids();
          expect(ipv4).toEqual(ipv6);
          expect(ipv4).toHaveLength(1);
          if (own === 'up') expect(ipv4).toEqual([OWN[0]]);
          if (own === 'down' && standby === 'up') expect(ipv4).toEqual([STANDBY[0]]);
          if (own === 'down' && standby === 'down') expect(ipv4).toEqual([OWN[0]]);
        }
        expect(agent.reconciler.health.driftRepairs).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
