import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inPrefix } from '../dataplane/address.js';
import type { DataPlane, Step } from '../dataplane/port.js';
import { withdraw } from '../reconcile/withdraw.js';
import { actionOf, hashOf, listening, wantedForwarding } from './expectations.js';
import { everybodys, type PolicySketch, type TunnelSketch } from './policies.js';
import { ReconciledAgent } from './reconciled-agent.js';

/** One place where a data plane lives, and a way in for each agent that is started there. */
export interface DataPlaneHarness {
  /** What a newly started agent gets: it knows nothing but what is really there. */
  open(): DataPlane;
  /** Commands since the start that could have changed something. */
  writes(): number;
  close(): Promise<void>;
}

export interface ContractSubject {
  readonly name: string;
  readonly skip: string | undefined;
  create(): Promise<DataPlaneHarness>;
  /** Random histories to try. */
  readonly histories: number;
}

const WEST: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: { lists: [[1, 'fc00:1::1', 'fc00:2::d4']], prefixes: ['10.2.0.0/24', '10.2.1.0/24'] },
  ipv6: { lists: [[1, 'fc00:1::1', 'fc00:2::d6']], prefixes: ['fd02::/64'] },
};
const EAST: PolicySketch = {
  id: 'h1:10:h3',
  ipv4: {
    lists: [
      [3, 'fc00:1::1', 'fc00:3::d4'],
      [1, 'fc00:4::1', 'fc00:3::d4'],
    ],
    prefixes: ['10.3.0.0/24'],
  },
  ipv6: {
    lists: [
      [2, 'fc00:1::1', 'fc00:3::d6'],
      [6, 'fc00:4::1', 'fc00:3::d6'],
    ],
    prefixes: ['fd03::/64', 'fd03:1::/64'],
  },
};

/** What every data plane must do under the reconciler. */
export function dataPlaneContract(subject: ContractSubject): void {
  describe.skipIf(subject.skip !== undefined)(
    `${subject.name} data plane${subject.skip ? ` (${subject.skip})` : ''}`,
    () => {
      let harness: DataPlaneHarness;
      let agent: ReconciledAgent;
      let success: string;

      beforeEach(async () => {
        harness = await subject.create();
        agent = new ReconciledAgent(harness.open());
        success = agent.dataPlane.capabilities.real ? 'installed' : 'simulated';
      });
      afterEach(async () => {
        await agent.reconciler.stop();
        await harness.close();
      });

      it('holds exactly the lists, weights and prefixes that are wanted, and says so', async () => {
        const report = await agent.want(WEST, EAST);
        expect(await agent.forwarding()).toEqual(wantedForwarding([WEST, EAST]));
        expect(report.outcomes.map(({ policyId, outcome, generation }) => [policyId, outcome, generation])).toEqual([
          ['h1:10:h2', success, 1],
          ['h1:10:h3', success, 1],
        ]);
        expect(report.readBackHash).toEqual(hashOf(agent.desired));
      });

      it('drops what a policy wants dropped, and forwards it again', async () => {
        await agent.want({ ...WEST, ipv4: { ...WEST.ipv4, lists: 'drop', prefixes: ['10.2.0.0/24'] } });
        expect(await agent.forwarding()).toMatchObject({ '10.2.0.0/24': { kind: 'drop' } });
        await agent.want({ ...WEST, ipv6: { lists: 'drop', prefixes: ['fd02::/64'] } });
        expect(await agent.forwarding()).toMatchObject({
          '10.2.0.0/24': { kind: 'encapsulate' },
          'fd02::/64': { kind: 'drop' },
        });
        const report = await agent.want(EAST, {
          ...WEST,
          ipv6: { ...EAST.ipv6, lists: EAST.ipv6?.lists ?? [], prefixes: ['fd02::/64'] },
        });
        expect(report.readBackHash).toEqual(hashOf(agent.desired));
      });

      it('replaces lists and prefixes, and withdraws what is wanted no more', async () => {
        await agent.want(WEST, EAST);
        const moved: PolicySketch = {
          ...WEST,
          ipv4: { lists: [[1, 'fc00:4::1', 'fc00:2::d4']], prefixes: ['10.2.1.0/24', '10.2.2.0/24'] },
        };
        const report = await agent.want(moved);
        expect(await agent.forwarding()).toEqual(wantedForwarding([moved]));
        expect(report.outcomes).toContainEqual({ policyId: 'h1:10:h3', generation: 2, outcome: 'removed', reason: '' });
        await agent.want();
        const { tunnels, localSids, strays } = await agent.dataPlane.read();
        expect({ tunnels, localSids, strays }).toEqual({ tunnels: [], localSids: [], strays: [] });
        expect(agent.outcome('h1:10:h2')).toMatchObject({ outcome: 'removed', generation: 3 });
        expect(agent.reconciler.health.driftRepairs).toBe(0);
      });

      it('hands a prefix from one policy to another without letting go of it', async () => {
        const steps: Step[] = [];
        agent = new ReconciledAgent(listening(harness.open(), steps));
        await agent.want(WEST, EAST);
        steps.splice(0);
        await agent.want(
          { ...WEST, ipv4: { lists: WEST.ipv4?.lists ?? [], prefixes: ['10.2.1.0/24'] } },
          { ...EAST, ipv4: { lists: EAST.ipv4?.lists ?? [], prefixes: ['10.2.0.0/24', '10.3.0.0/24'] } },
        );
        expect(await agent.forwarding()).toMatchObject({ '10.2.0.0/24': actionOf(EAST.ipv4) });
        expect(steps.map(({ kind }) => kind)).toEqual(['put-tunnel']);
        expect(agent.lastReport.readBackHash).toEqual(hashOf(agent.desired));
      });

      it('changes nothing when it starts and finds everything right', async () => {
        const localSids = [{ sid: 'fc00:9::d6', behavior: 'End.DT6' }];
        const before = new ReconciledAgent(harness.open(), localSids);
        await before.want(WEST, EAST);
        const writes = harness.writes();
        const restarted = new ReconciledAgent(harness.open(), localSids);
        const report = await restarted.want(WEST, EAST);
        expect(harness.writes()).toBe(writes);
        expect(report.readBackHash).toEqual(hashOf(restarted.desired));
        expect(report.outcomes.map(({ outcome }) => outcome)).toEqual([success, success]);
        expect(restarted.reconciler.health).toEqual({ error: null, driftRepairs: 0 });
      });

      it('touches nothing before it knows what is wanted, then removes what nobody wants', async () => {
        await agent.want(WEST, EAST);
        const writes = harness.writes();
        const restarted = new ReconciledAgent(harness.open());
        await restarted.reconciler.reconcile();
        expect(harness.writes()).toBe(writes);
        expect(await restarted.forwarding()).toEqual(wantedForwarding([WEST, EAST]));
        await restarted.want(EAST);
        expect(await restarted.forwarding()).toEqual(wantedForwarding([EAST]));
      });

      it('finds and repairs what someone else took away or added', async () => {
        await agent.want(WEST, EAST);
        const reports = agent.reports.length;
        const intruder = harness.open();
        await intruder.apply([{ kind: 'unsteer', family: 'ipv4', prefix: '10.2.0.0/24', color: null }]);
        await intruder.apply([putStep('h1:1:x', 'ipv6', { lists: [[1, 'fc00:9::1']], prefixes: ['fd99::/64'] })]);
        await agent.reconciler.reconcile();
        expect(await agent.forwarding()).toEqual(wantedForwarding([WEST, EAST]));
        expect(agent.reconciler.health.driftRepairs).toBeGreaterThanOrEqual(2);
        const repairs = agent.reconciler.health.driftRepairs;
        await agent.reconciler.reconcile();
        expect(agent.reconciler.health.driftRepairs).toBe(repairs);
        expect(agent.reports).toHaveLength(reports);
      });

      it('refuses a list that is too deep, keeps what the policy had, and lets the others through', async () => {
        await agent.want(WEST);
        const depth = agent.dataPlane.capabilities.msdHEncaps + 2;
        const sids = Array.from({ length: depth }, (_, index) => `fc00:${(index + 1).toString(16)}::1`);
        const deep: PolicySketch = {
          ...WEST,
          ipv4: { lists: [[1, ...sids]], prefixes: ['10.2.0.0/24', '10.2.1.0/24'] },
        };
        const report = await agent.want(deep, EAST);
        expect(agent.outcome('h1:10:h2')).toMatchObject({ outcome: 'failed', generation: 2 });
        expect(agent.outcome('h1:10:h2')?.reason).toContain('MSD');
        expect(agent.outcome('h1:10:h3')?.outcome).toBe(success);
        expect(await agent.forwarding()).toEqual(wantedForwarding([WEST, EAST]));
        expect(report.readBackHash).not.toEqual(hashOf(agent.desired));
      });

      it('leaves the prefixes of a refused policy where they are, and does not complain of that', async () => {
        await agent.want(WEST);
        const sids = Array.from(
          { length: agent.dataPlane.capabilities.msdHEncaps + 2 },
          (_, index) => `fc00:${(index + 1).toString(16)}::1`,
        );
        const prefixes = WEST.ipv4?.prefixes ?? [];
        await agent.want({ id: 'h1:11:h2', ipv4: { lists: [[1, ...(sids as [string])]], prefixes } });
        expect(agent.outcome('h1:11:h2')?.outcome).toBe('failed');
        const { ipv4 } = WEST;
        expect(await agent.forwarding()).toEqual(wantedForwarding([{ id: WEST.id, ...(ipv4 && { ipv4 }) }]));
        await agent.reconciler.reconcile();
        expect(agent.reconciler.health).toEqual({ error: null, driftRepairs: 0 });
      });

      it('keeps planned SIDs out of a real data plane', async () => {
        await agent.want({ ...WEST, planned: true });
        const { real } = agent.dataPlane.capabilities;
        expect(agent.outcome('h1:10:h2')?.outcome).toBe(real ? 'failed' : 'simulated');
        expect(await agent.forwarding()).toEqual(real ? {} : wantedForwarding([WEST]));
        if (real) expect(agent.outcome('h1:10:h2')?.reason).toContain('planned SIDs');
      });

      it('gives a prefix that two policies want to the same one, whoever comes first', async () => {
        const rival: PolicySketch = { id: 'h1:9:h9', ipv4: { lists: [[1, 'fc00:9::d4']], prefixes: ['10.2.1.0/24'] } };
        await agent.want(WEST);
        await agent.want(WEST, rival);
        expect(agent.outcome('h1:9:h9')).toMatchObject({ outcome: 'failed' });
        expect(agent.outcome('h1:9:h9')?.reason).toContain('h1:10:h2');
        expect(await agent.forwarding()).toEqual(wantedForwarding([WEST]));
        const other = new ReconciledAgent(harness.open());
        await other.want(rival, WEST);
        expect(await other.forwarding()).toEqual(wantedForwarding([WEST]));
        await other.want(rival);
        expect(other.outcome('h1:9:h9')?.outcome).toBe(success);
      });

      it('owns the local SIDs that it is asked to own, and gives them up', async () => {
        const sids = [
          { sid: 'fc00:9::1', behavior: 'End' },
          { sid: 'fc00:9::d4', behavior: 'End.DT4' },
          { sid: 'fc00:9::d6', behavior: 'End.DT6' },
        ];
        const owner = new ReconciledAgent(harness.open(), sids);
        await owner.want();
        expect(bySid((await owner.dataPlane.read()).localSids)).toEqual(sids);
        const changed = [
          { sid: 'fc00:9::1', behavior: 'End.DT6' },
          { sid: 'fc00:9::d4', behavior: 'End.DT4' },
        ];
        const heir = new ReconciledAgent(harness.open(), changed);
        await heir.want();
        expect(bySid((await heir.dataPlane.read()).localSids)).toEqual(changed);
        expect(heir.reconciler.health.error).toBeNull();
      });

      it('holds a policy that steers nothing', async () => {
        const report = await agent.want({ ...WEST, ipv4: { lists: [[1, 'fc00:2::d4']], prefixes: [] } });
        expect(agent.outcome('h1:10:h2')?.outcome).toBe(success);
        expect(report.readBackHash).toEqual(hashOf(agent.desired));
      });

      it('holds many lists with coprime weights, default routes and host prefixes', async () => {
        const lists = Array.from({ length: 12 }, (_, index): [number, ...string[]] => [
          index + 7,
          `fc00:${index + 1}::1`,
          'fc00:2::d4',
        ]);
        const report = await agent.want({
          id: 'h1:10:h2',
          ipv4: { lists, prefixes: ['0.0.0.0/0', '10.2.0.9/32'] },
          ipv6: { lists, prefixes: ['::/0', 'fd02::9/128', '::ffff:a00:0/104'] },
        });
        expect(agent.outcome('h1:10:h2')?.reason).toBe('');
        expect(report.readBackHash).toEqual(hashOf(agent.desired));
      });

      describe('where it has a prefix for probes', () => {
        beforeEach((context) => {
          if (agent.dataPlane.capabilities.probePrefix === null) context.skip('it has none');
        });

        const routes = async () => {
          const { probeRoutes } = await agent.dataPlane.read();
          return new Set(probeRoutes.map(({ sids }) => sids.join()));
        };
        const withStandby: PolicySketch = {
          ...WEST,
          ipv6: { lists: WEST.ipv6?.lists ?? [], standby: [[1, 'fc00:4::1', 'fc00:2::d6']], prefixes: ['fd02::/64'] },
        };

        it('holds a probe route for each list for IPv6, standby too, inside the prefix', async () => {
          await agent.want(withStandby, EAST);
          expect(await routes()).toEqual(
            new Set(['fc00:1::1,fc00:2::d6', 'fc00:4::1,fc00:2::d6', 'fc00:1::1,fc00:3::d6', 'fc00:4::1,fc00:3::d6']),
          );
          const { probeRoutes, strays } = await agent.dataPlane.read();
          const { probePrefix } = agent.dataPlane.capabilities;
          expect(probeRoutes.every(({ address }) => inPrefix(probePrefix ?? '')(address))).toBe(true);
          expect(strays).toEqual([]);
        });

        it('puts a probe route before anything is steered into its list, and takes it away after', async () => {
          const steps: Step[] = [];
          agent = new ReconciledAgent(listening(harness.open(), steps));
          await agent.want(WEST);
          const kinds = steps.map(({ kind }) => kind);
          expect(kinds.lastIndexOf('put-probe-route')).toBeLessThan(kinds.indexOf('put-tunnel'));
          steps.splice(0);
          await agent.want();
          const last = steps.map(({ kind }) => kind);
          expect(last.indexOf('remove-probe-route')).toBeGreaterThan(last.lastIndexOf('unsteer'));
          expect((await agent.dataPlane.read()).probeRoutes).toEqual([]);
        });

        it('finds them right when it starts again, and repairs those that are not', async () => {
          await agent.want(withStandby, EAST);
          const writes = harness.writes();
          const restarted = new ReconciledAgent(harness.open());
          await restarted.want(withStandby, EAST);
          expect(harness.writes()).toBe(writes);
          const right = await routes();
          const [one, other] = (await restarted.dataPlane.read()).probeRoutes;
          if (one === undefined || other === undefined) throw new Error('there are no probe routes');
          await harness.open().apply([
            { kind: 'remove-probe-route', route: one },
            { kind: 'put-probe-route', route: { ...other, sids: ['fc00:9::1', 'fc00:9::d6'] }, replaces: true },
          ]);
          await restarted.reconciler.reconcile();
          expect(await routes()).toEqual(right);
          expect(restarted.reconciler.health).toEqual({ error: null, driftRepairs: 2 });
        });

        it('removes those that nobody wants', async () => {
          await agent.want(withStandby, EAST);
          await agent.want({ ...WEST, ipv6: { lists: [[1, 'fc00:4::1', 'fc00:2::d6']], prefixes: ['fd02::/64'] } });
          expect(await routes()).toEqual(new Set(['fc00:4::1,fc00:2::d6']));
          await agent.want({ ...WEST, ipv6: { lists: 'drop', prefixes: ['fd02::/64'] } });
          expect(await routes()).toEqual(new Set());
        });

        it('is empty of them once all is withdrawn', async () => {
          await agent.want(withStandby, EAST);
          await withdraw(agent.dataPlane);
          const { tunnels, probeRoutes, strays } = await agent.dataPlane.read();
          expect({ tunnels, probeRoutes, strays }).toEqual({ tunnels: [], probeRoutes: [], strays: [] });
        });
      });

      it('ends right whatever the history', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(history, { minLength: 1, maxLength: 6 }), async (moments) => {
            const walker = new ReconciledAgent(harness.open());
            for (const { sketches, tamper } of moments) {
              const intruder = harness.open();
              if (tamper !== null)
                await intruder.apply([{ kind: 'unsteer', family: 'ipv4', prefix: tamper, color: null }]);
              const report = await walker.want(...sketches);
              expect(report.readBackHash).toEqual(hashOf(walker.desired));
              expect(await walker.forwarding()).toEqual(wantedForwarding(sketches));
            }
          }),
          { numRuns: subject.histories },
        );
      });
    },
  );
}

const lists = fc.oneof(
  fc.constant('drop' as const),
  fc.array(
    fc.tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('fc00:1::1', 'fc00:4::1', 'fc00:5::1'),
      fc.constant('fc00:2::d4'),
    ),
    { minLength: 1, maxLength: 3 },
  ),
);

/** Three policies that share no prefix, each present or not, and a prefix that vanishes behind the agent's back. */
const history = fc.record({
  sketches: fc
    .tuple(...[0, 1, 2].map((index) => fc.option(policySketch(index))))
    .map((sketches) => sketches.filter((sketch) => sketch !== null)),
  tamper: fc.option(fc.constantFrom('10.0.0.0/24', '10.1.0.0/24', '10.2.0.0/24')),
});

function policySketch(index: number): fc.Arbitrary<PolicySketch> {
  const tunnel = (prefixes: string[]) => fc.record({ lists, prefixes: fc.subarray(prefixes) });
  return fc.record({
    id: fc.constant(`h1:1:n${index}`),
    ipv4: tunnel([`10.${index}.0.0/24`, `10.${index}.1.0/24`]),
    ipv6: tunnel([`fd0${index}::/64`, `fd0${index}:1::/64`]),
  });
}

function putStep(policyId: string, family: 'ipv4' | 'ipv6', sketch: TunnelSketch): Step {
  const { prefixes } = sketch;
  const bsids = { bsid: 'fdff::99', alternateBsid: 'fdff::9a' };
  const tunnel = { family, ...bsids, action: actionOf(sketch), steeredPrefixes: everybodys(prefixes) };
  return {
    kind: 'put-tunnel',
    policyId,
    tunnel,
    steer: everybodys(prefixes).map((steered) => ({ ...steered, replaces: false })),
  };
}

function bySid<T extends { readonly sid: string }>(sids: readonly T[]): T[] {
  return [...sids].sort((a, b) => (a.sid < b.sid ? -1 : 1));
}
