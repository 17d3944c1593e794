import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Step } from '../dataplane/port.js';
import { withdraw } from '../reconcile/withdraw.js';
import type { ContractSubject, DataPlaneHarness } from './data-plane-contract.js';
import { hashOf, listening, wantedForwarding, wantedSources } from './expectations.js';
import type { ClassSketch, EntrySketch, PolicySketch, TunnelSketch } from './policies.js';
import { classSourcesIn, forwardingIn, ReconciledAgent } from './reconciled-agent.js';

function policyOf(color: number, router: string, everybodys: boolean): PolicySketch {
  const tunnel = (prefix: string, sid: string): TunnelSketch => ({
    lists: [[1, router, sid]],
    prefixes: everybodys ? [prefix] : [],
    classPrefixes: everybodys ? [] : [prefix],
  });
  return {
    id: `h1:${color}:h2`,
    ipv4: tunnel('10.2.0.0/24', 'fc00:2::d4'),
    ipv6: tunnel('fd02::/64', 'fc00:2::d6'),
  };
}

const DEFAULT = policyOf(10, 'fc00:1::1', true);
const FAST = policyOf(100, 'fc00:4::1', false);
const SLOW = policyOf(200, 'fc00:5::1', false);
const FAST_PODS: ClassSketch = { id: 'h1:100:h1', sources: ['10.1.0.7', 'fd01::7'] };
const SLOW_PODS: ClassSketch = { id: 'h1:200:h1', sources: ['10.1.0.8', 'fd01::8'] };

/** What every data plane must do with service classes under the reconciler. */
export function classContract(subject: ContractSubject): void {
  const { name, skip } = subject;
  describe.skipIf(skip !== undefined)(`service classes in the ${name} data plane${skip ? ` (${skip})` : ''}`, () => {
    let harness: DataPlaneHarness;
    let agent: ReconciledAgent;

    beforeEach(async () => {
      harness = await subject.create();
      agent = new ReconciledAgent(harness.open());
    });
    afterEach(async () => {
      await agent.reconciler.stop();
      await harness.close();
    });

    async function expectHeld(...sketches: readonly EntrySketch[]): Promise<void> {
      const found = await agent.dataPlane.read();
      expect(forwardingIn(found)).toEqual(wantedForwarding(sketches));
      expect(classSourcesIn(found)).toEqual(wantedSources(sketches));
    }

    it('steers a prefix for everybody and, otherwise, in each of two classes', async () => {
      const entries = [DEFAULT, FAST, SLOW, FAST_PODS, SLOW_PODS];
      const report = await agent.want(...entries);
      await expectHeld(...entries);
      const outcome = agent.dataPlane.capabilities.real ? 'installed' : 'simulated';
      expect(report.outcomes.map((one) => [one.policyId, one.outcome, one.reason])).toEqual(
        entries.map(({ id }) => [id, outcome, '']),
      );
      expect(report.readBackHash).toEqual(hashOf(agent.desired));
      const { serviceClasses, policies } = agent.reconciler.counts;
      expect([serviceClasses[outcome], policies[outcome]]).toEqual([2, 3]);
    });

    it('changes nothing when it starts and finds everything right', async () => {
      await agent.want(DEFAULT, FAST, FAST_PODS);
      const writes = harness.writes();
      agent = new ReconciledAgent(harness.open());
      const report = await agent.want(DEFAULT, FAST, FAST_PODS);
      expect(harness.writes()).toBe(writes);
      expect(report.readBackHash).toEqual(hashOf(agent.desired));
    });

    it('lets sources into a class once it is whole, and takes them out before it goes', async () => {
      const steps: Step[] = [];
      agent = new ReconciledAgent(listening(harness.open(), steps));
      await agent.want(FAST, FAST_PODS);
      const made = steps.map(({ kind }) => kind);
      expect(made.indexOf('put-class-source')).toBeGreaterThan(made.lastIndexOf('put-tunnel'));
      steps.splice(0);
      await agent.want();
      const kinds = steps.map(({ kind }) => kind);
      expect(kinds.lastIndexOf('remove-class-source')).toBeLessThan(kinds.indexOf('unsteer'));
      await expectHeld();
    });

    it('moves a source to another class in one step', async () => {
      await agent.want(FAST, SLOW, FAST_PODS, SLOW_PODS);
      const steps: Step[] = [];
      agent = new ReconciledAgent(listening(harness.open(), steps));
      const moved: ClassSketch = { ...SLOW_PODS, sources: ['10.1.0.7', '10.1.0.8', 'fd01::8'] };
      const rest: ClassSketch = { ...FAST_PODS, sources: ['fd01::7'] };
      const report = await agent.want(FAST, SLOW, rest, moved);
      expect(steps).toEqual([
        {
          kind: 'put-class-source',
          classId: 'h1:200:h1',
          source: { address: '10.1.0.7', color: 200 },
          replaces: 100,
        },
      ]);
      await expectHeld(FAST, SLOW, rest, moved);
      expect(report.readBackHash).toEqual(hashOf(agent.desired));
    });

    it('keeps sources in a class for which no policy steers anything', async () => {
      const report = await agent.want(DEFAULT, FAST_PODS);
      await expectHeld(DEFAULT, FAST_PODS);
      expect(report.readBackHash).toEqual(hashOf(agent.desired));
    });

    it('gives an address that two classes name to the one whose id sorts first, whoever comes first', async () => {
      const rival: ClassSketch = { id: 'h1:200:h1', sources: ['10.1.0.7', '10.1.0.9'] };
      await agent.want(rival);
      await agent.want(rival, FAST_PODS);
      expect(agent.outcome('h1:200:h1')).toMatchObject({ outcome: 'failed' });
      expect(agent.outcome('h1:200:h1')?.reason).toContain('10.1.0.7 is already in h1:100:h1');
      // What the class that was refused had before, and nobody else wants, stays.
      expect(classSourcesIn(await agent.dataPlane.read())).toEqual({
        '10.1.0.7': 100,
        '10.1.0.9': 200,
        'fd01::7': 100,
      });
      await agent.want(rival);
      expect(agent.outcome('h1:200:h1')).toMatchObject({ reason: '' });
      await expectHeld(rival);
    });

    it('says which of two policies has a prefix of a class', async () => {
      const rival: PolicySketch = { ...FAST, id: 'h1:100:h3' };
      await agent.want(FAST, rival);
      expect(agent.outcome('h1:100:h3')?.reason).toContain('10.2.0.0/24 in class 100 is already steered by policy');
      await expectHeld(FAST);
    });

    it('puts back what someone else took away, and takes away what someone else put there', async () => {
      const entries = [DEFAULT, FAST, FAST_PODS];
      await agent.want(...entries);
      const reports = agent.reports.length;
      await harness.open().apply([
        { kind: 'remove-class-source', source: { address: '10.1.0.7', color: 100 } },
        { kind: 'unsteer', family: 'ipv4', prefix: '10.2.0.0/24', color: 100 },
        {
          kind: 'put-class-source',
          classId: 'h1:300:h1',
          source: { address: '10.1.0.9', color: 300 },
          replaces: null,
        },
      ]);
      await agent.reconciler.reconcile();
      await expectHeld(...entries);
      expect(agent.reconciler.health).toEqual({ error: null, driftRepairs: 3 });
      expect(agent.reports).toHaveLength(reports);
    });

    it('removes nothing while there is a class that it cannot read', async () => {
      await agent.want(FAST, FAST_PODS, SLOW_PODS);
      const policies = new Map(agent.desired.policies);
      policies.delete('h1:100:h2');
      policies.delete('h1:100:h1');
      policies.set('h1:200:h1', { generation: 2, body: Uint8Array.of(0xff, 1, 2) });
      agent.reconciler.setDesired({ epoch: 1, generation: 2, policies }, 'all');
      await agent.reconciler.reconcile();
      expect(agent.outcome('h1:200:h1')?.reason).toMatch(/^it cannot be read: /);
      expect(agent.outcome('h1:100:h1')).toMatchObject({ outcome: 'failed', reason: /is still steered/ });
      await expectHeld(FAST, FAST_PODS, SLOW_PODS);
    });

    it('is empty once all is withdrawn', async () => {
      await agent.want(DEFAULT, FAST, SLOW, FAST_PODS, SLOW_PODS);
      await withdraw(agent.dataPlane);
      const { tunnels, classSources, strays } = await agent.dataPlane.read();
      expect({ tunnels, classSources, strays }).toEqual({ tunnels: [], classSources: [], strays: [] });
    });

    it('ends right whatever the history', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 6 }), async (moments) => {
          agent = new ReconciledAgent(harness.open());
          let before: readonly EntrySketch[] = [];
          for (const { entries, tampering } of moments) {
            const color = wantedSources(before)[tampering];
            before = entries;
            if (color !== undefined) {
              const source = { address: tampering, color };
              await harness.open().apply([{ kind: 'remove-class-source', source }]);
            }
            const report = await agent.want(...entries);
            await expectHeld(...entries);
            expect(report.readBackHash).toEqual(hashOf(agent.desired));
          }
          await agent.want();
        }),
        { numRuns: Math.ceil(subject.histories / 4) },
      );
    });
  });
}

const COLORS = [100, 200, 300];
const ADDRESSES = ['10.1.0.7', '10.1.0.8', '10.1.0.9', 'fd01::7', 'fd01::8'];

/** A policy of each color or not, each address in one class or none, and a source that vanishes behind the agent's back. */
const moment = fc.record({
  entries: fc
    .tuple(
      fc.tuple(...COLORS.map((color) => fc.option(colored(color)))),
      fc.array(fc.option(fc.constantFrom(...COLORS)), { minLength: ADDRESSES.length, maxLength: ADDRESSES.length }),
    )
    .map(([policies, colors]): EntrySketch[] => {
      const classes = COLORS.map((color) => ({
        id: `h1:${color}:h1`,
        sources: ADDRESSES.filter((_, index) => colors[index] === color),
      }));
      return [...policies.filter((policy) => policy !== null), ...classes.filter(({ sources }) => sources.length > 0)];
    }),
  tampering: fc.constantFrom(...ADDRESSES),
});

function colored(color: number): fc.Arbitrary<PolicySketch> {
  const lists = fc.constantFrom<TunnelSketch['lists']>('drop', [[1, 'fc00:1::1', 'fc00:2::d4']]);
  const own = COLORS.indexOf(color);
  return fc.record({
    id: fc.constant(`h1:${color}:n${color}`),
    ipv4: fc.record({
      lists,
      prefixes: fc.subarray([`10.${own}.0.0/24`]),
      classPrefixes: fc.subarray(['10.0.0.0/8', '10.0.0.0/24', `10.${own}.0.0/24`].filter(isFirst)),
    }),
    ipv6: fc.record({ lists, prefixes: fc.constant([]), classPrefixes: fc.subarray(['::/0', 'fd02::/64']) }),
  });
}

function isFirst(text: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(text) === index;
}
