import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { arbitraryTed } from '../../testing/arbitrary-ted.js';
import { prepareRequest } from '../prepare-request.js';
import { WorkBudget } from '../work-budget.js';
import { levelOf } from './disjointness-level.js';
import { GroupMember } from './group-member.js';
import { MemberRoutes } from './member-routes.js';
import { Risks } from './risks.js';
import { rootBound } from './root-bound.js';

const cases = fc.record({
  ted: arbitraryTed({ maxRouters: 6, maxLinks: 12, healthy: true }),
  from: fc.nat(20),
  to: fc.nat(20),
  kind: fc.constantFrom('link' as const, 'node' as const),
  members: fc.integer({ min: 2, max: 3 }),
});

describe('the prices of a flow', () => {
  it('make the cheapest routes of its members, less all prices, cost as much as the flow', () => {
    let priced = 0;
    fc.assert(
      fc.property(cases, ({ ted, from, to, kind, members: count }) => {
        const snapshot = freezeSnapshot(ted);
        const idAt = (n: number) => ted.nodes[n % ted.nodes.length]?.id ?? '';
        const request = {
          source: idAt(from),
          destination: idAt(to),
          metric: 'igp' as const,
          constraints: {},
          families: [],
        };
        const prepared = prepareRequest(snapshot, request, snapshot.data.reservableBps);
        fc.pre(!('status' in prepared) && prepared.headendArcs.length <= 1);
        const [level, risks, budget] = [levelOf([kind]), Risks.of(snapshot), new WorkBudget(1e6)];
        const members = Array.from({ length: count }, () => new GroupMember(prepared, 0, level, false));
        const root = rootBound({ members, risks, level, objective: 'sum', surcharge: Infinity }, budget);
        fc.pre(root.kind === 'bound');
        const { prices, lowerBound } = root;
        if (prices.total > 0) priced++;
        const task = { members, risks, objective: 'sum', sharing: 'exclusive' } as const;
        const routes = new MemberRoutes(task, budget, () => Infinity);
        const costs = members.map((_, i) => {
          const route = routes.find(i, { forbidden: [], closed: [], isList: false, prices });
          return route === null || typeof route === 'number' ? Infinity : route.lowerBound;
        });
        expect(costs.reduce((sum, cost) => sum + cost, 0) - prices.total).toBe(lowerBound.value);
      }),
      { numRuns: 500 },
    );
    expect(priced).toBeGreaterThan(20);
  });
});
