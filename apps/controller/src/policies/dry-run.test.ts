import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProposedChange } from '../model/ports.js';
import type { SrPolicyIntent } from '../model/sr-policy.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, LOWER, lowestDelay, UPPER, withLinks } from '../testing/sketched-network.js';

const actor = { name: 'operator' };
const G = 1_000_000_000;
let harness: PolicyHarness;

beforeEach(async () => {
  harness = await PolicyHarness.create(diamond());
  await harness.lead();
});

afterEach(() => harness.stop());

function policy(more: Partial<SrPolicyIntent> = {}): SrPolicyIntent {
  return { headend: 'h1', color: 1, endpoint: 'h2', fallback: 'drop', candidatePaths: [lowestDelay()], ...more };
}

async function create(intent: SrPolicyIntent): Promise<void> {
  await harness.service.createPolicy(intent, actor);
  await harness.settled();
}

async function moves(...changes: ProposedChange[]) {
  const { moves: found } = await harness.service.dryRun(changes);
  return found.map(({ policyId, change, after }) => [policyId, change, after[0]?.links]);
}

describe('a dry-run', () => {
  it('says what a failure, a drain or a constraint would move, and writes nothing', async () => {
    await create(policy());
    await create(policy({ headend: 'h3', color: 2 }));
    const before = await harness.database.db.selectFrom('head').selectAll().executeTakeFirstOrThrow();
    const moved = [['h1:1:h2', 'moved', LOWER]];
    expect(await moves({ kind: 'link-state', link: 'a:b', state: 'down' })).toEqual(moved);
    expect(await moves({ kind: 'link-constraints', link: 'a:b', constraints: { delayUs: 9000 } })).toEqual(moved);
    expect(await moves({ kind: 'link-constraints', link: 'a:b', constraints: { adminState: 'drained' } })).toEqual(
      moved,
    );
    expect(await moves({ kind: 'link-constraints', link: 'c:d', constraints: { delayUs: 9000 } })).toEqual([]);
    expect(await moves({ kind: 'link-constraints', link: 'a:b', constraints: { delayUs: null } })).toEqual([]);
    expect(await moves({ kind: 'node-state', node: 'd', state: 'down' })).toEqual([
      ['h1:1:h2', 'fallback', undefined],
      ['h3:2:h2', 'fallback', undefined],
    ]);
    expect(await harness.database.db.selectFrom('head').selectAll().executeTakeFirstOrThrow()).toEqual(before);
    const after = (await harness.service.policy('h1:1:h2')).state?.lists[0]?.links;
    expect(after).toEqual(UPPER);
  });

  it('tells what stays on drained elements for want of an alternative', async () => {
    await create(policy({ candidatePaths: [lowestDelay({ exclude: { nodes: ['c'] } })] }));
    expect(await moves({ kind: 'node-constraints', node: 'b', constraints: { adminState: 'drained' } })).toEqual([
      ['h1:1:h2', 'unchanged-blocked', UPPER],
    ]);
  });

  it('counts bandwidth across the changes that are proposed together', async () => {
    const six = (color: number) => policy({ color, candidatePaths: [lowestDelay({ bandwidthBps: 6 * G })] });
    await create(six(1));
    await create(six(2));
    expect(await moves({ kind: 'policy-put', policy: six(3) })).toEqual([['h1:3:h2', 'created', undefined]]);
    const replacing = await moves(
      { kind: 'policy-delete', policyId: 'h1:2:h2' },
      { kind: 'policy-put', policy: six(3) },
    );
    expect(replacing).toEqual([
      ['h1:2:h2', 'removed', undefined],
      ['h1:3:h2', 'created', LOWER],
    ]);
  });

  it('expands a mesh and knows what its end would take away', async () => {
    const mesh = {
      id: 'm',
      color: 9,
      selector: { all: true as const },
      template: { candidatePaths: [lowestDelay()], fallback: 'drop' as const },
      overrides: [],
    };
    expect((await moves({ kind: 'mesh-put', mesh })).map(([id, change]) => [id, change])).toEqual(
      ['h1:9:h2', 'h1:9:h3', 'h2:9:h1', 'h2:9:h3', 'h3:9:h1', 'h3:9:h2'].map((id) => [id, 'created']),
    );
    await harness.service.createMesh(mesh, actor);
    await harness.settled();
    const result = await harness.service.dryRun([{ kind: 'mesh-delete', meshId: 'm' }]);
    expect(result.policiesExamined).toBe(6);
    expect(result.moves.every(({ change }) => change === 'removed')).toBe(true);
    const smaller = { ...mesh, selector: { nodes: ['h1', 'h2'] } };
    expect((await moves({ kind: 'mesh-put', mesh: smaller })).map(([, change]) => change)).toEqual(
      Array(4).fill('removed'),
    );
  });

  it('foretells a return to the previous lists, and the end of a pin', async () => {
    await create(policy());
    const rollBack: ProposedChange = { kind: 'policy-roll-back', policyId: 'h1:1:h2' };
    await expect(harness.service.dryRun([rollBack])).rejects.toMatchObject({ code: 'no-lists-to-return-to' });
    await harness.setTed(withLinks(diamond(), { 'a:b': { delayUs: 9000 } }));
    await harness.settled();
    await harness.setTed(diamond());
    await harness.settled();
    expect(await moves(rollBack)).toEqual([['h1:1:h2', 'moved', LOWER]]);
    const { version } = await harness.service.policy('h1:1:h2');
    await harness.service.rollBack('h1:1:h2', version, actor);
    await harness.settled();
    expect(await moves({ kind: 'policy-unpin', policyId: 'h1:1:h2' })).toEqual([['h1:1:h2', 'moved', UPPER]]);
  });

  it('refuses more affinities than a network can have, as making the change would', async () => {
    const affinities = Array.from({ length: 129 }, (_, i) => `new-${i}`);
    const also = affinities.map((name) => `${name}-too`);
    const change = (link: string, names: readonly string[]): ProposedChange => {
      return { kind: 'link-constraints', link, constraints: { affinities: names } };
    };
    await harness.service.dryRun([change('a:b', affinities)]);
    await expect(harness.service.dryRun([change('a:b', affinities), change('c:d', also)])).rejects.toMatchObject({
      code: 'affinity-overflow',
    });
  });

  it('takes an overlay: what fails together, and demands that leave less bandwidth', async () => {
    const five = { candidatePaths: [lowestDelay({ bandwidthBps: 5 * G })] };
    await create(policy(five));
    const after = async (overlay: Parameters<typeof harness.service.dryRun>[1]) => {
      const result = await harness.service.dryRun([], overlay);
      return [result.moves.map(({ policyId, change }) => [policyId, change]), result.hypothetical?.unroutedDemands];
    };
    const moved = [['h1:1:h2', 'moved']];
    expect(await after({ down: { links: ['a:b'] } })).toEqual([moved, []]);
    expect(await after({ demands: [{ links: ['a:b'], bandwidthBps: 4 * G }] })).toEqual([[], []]);
    expect(await after({ demands: [{ source: 'h1', destination: 'h2', bandwidthBps: 6 * G }] })).toEqual([moved, []]);
    expect(
      await after({ down: { nodes: ['d'] }, demands: [{ source: 'h1', destination: 'h2', bandwidthBps: G }] }),
    ).toEqual([[['h1:1:h2', 'fallback']], [0]]);
    await expect(harness.service.dryRun([], { down: { srlgs: [9] } })).rejects.toMatchObject({
      code: 'request-invalid',
      info: { field: '/overlay/down/srlgs/0' },
    });
  });

  it('foretells what then happens', async () => {
    await create(policy());
    const foretold = await moves({ kind: 'link-constraints', link: 'b:d', constraints: { delayUs: 8000 } });
    await harness.setTed(withLinks(diamond(), { 'b:d': { delayUs: 8000 } }));
    await harness.settled();
    expect(foretold[0]?.[2]).toEqual((await harness.service.policy('h1:1:h2')).state?.lists[0]?.links);
  });

  it('refuses what making the changes would refuse: a prefix that is claimed, a policy of a mesh', async () => {
    const steeredPrefixes = ['10.2.0.0/16'];
    await create(policy({ steeredPrefixes }));
    const put = (more: Partial<SrPolicyIntent>): ProposedChange => ({ kind: 'policy-put', policy: policy(more) });
    const claim = put({ color: 2, steeredPrefixes });
    await expect(harness.service.dryRun([claim])).rejects.toMatchObject({
      code: 'prefix-claimed',
      info: { field: '/changes/0/policy/steeredPrefixes/0' },
    });
    const twice = put({ color: 3, steeredPrefixes });
    const gone: ProposedChange = { kind: 'policy-delete', policyId: 'h1:1:h2' };
    await expect(harness.service.dryRun([gone, claim, twice])).rejects.toMatchObject({ code: 'prefix-claimed' });
    // Free once its holder is deleted, or lets go of it.
    expect(await moves(gone, claim)).toHaveLength(2);
    expect(await moves(put({}), claim)).toEqual([['h1:2:h2', 'created', UPPER]]);
    await expect(harness.service.dryRun([put({ endpoint: 'no' })])).rejects.toMatchObject({
      info: { field: '/changes/0/policy/endpoint' },
    });
    const template = { candidatePaths: [lowestDelay()], fallback: 'drop' as const };
    await harness.service.createMesh({ id: 'm', color: 9, selector: { all: true }, template, overrides: [] }, actor);
    await harness.settled();
    for (const change of [put({ color: 9 }), { kind: 'policy-delete' as const, policyId: 'h1:9:h2' }]) {
      await expect(harness.service.dryRun([change])).rejects.toMatchObject({ code: 'mesh-owned' });
    }
  });

  it.each<[ProposedChange, string]>([
    [{ kind: 'link-state', link: 'no:where', state: 'down' }, 'link-unknown'],
    [{ kind: 'node-state', node: 'nowhere', state: 'down' }, 'node-unknown'],
    [{ kind: 'policy-delete', policyId: 'h1:77:h2' }, 'policy-unknown'],
    [{ kind: 'policy-unpin', policyId: 'h1:77:h2' }, 'policy-unknown'],
    [{ kind: 'mesh-delete', meshId: 'none' }, 'mesh-unknown'],
    [{ kind: 'policy-put', policy: policy({ endpoint: 'h1' }) }, 'request-invalid'],
  ])('refuses %j', async (change, code) => {
    await expect(harness.service.dryRun([change])).rejects.toMatchObject({ code });
  });
});
