import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LinkId } from '@waymark/topology';
import type { SrPolicyIntent } from '../model/sr-policy.js';
import { eventually } from '../testing/eventually.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, LOWER, lowestDelay, UPPER, withLinks } from '../testing/sketched-network.js';

const actor = { name: 'alice' };
const G = 1_000_000_000;
let harness: PolicyHarness;

beforeEach(async () => {
  harness = await PolicyHarness.create(diamond());
  await harness.lead();
  await harness.meetAgent('h1');
});

afterEach(() => harness.stop());

/** 6 of the 10 Gbit/s that a link has. */
function six(color: number, more: Partial<SrPolicyIntent> = {}): SrPolicyIntent {
  const candidatePaths = [lowestDelay({ bandwidthBps: 6 * G })];
  return { headend: 'h1', color, endpoint: 'h2', fallback: 'drop', candidatePaths, ...more };
}

async function stateOf(color: number) {
  return (await harness.service.policy(`h1:${color}:h2`)).state;
}

async function linksOf(color: number): Promise<readonly LinkId[] | undefined> {
  return (await stateOf(color))?.lists[0]?.links;
}

async function bookedOn(link: LinkId): Promise<number> {
  const booked = await harness.service.booked([link]);
  return (booked.get(link) ?? []).reduce((sum, bps) => sum + bps, 0);
}

describe('a policy of a higher setup priority', () => {
  it('takes the better path, and who has to leave it moves in the same publication and says who took it', async () => {
    await harness.createPolicy(six(1));
    await harness.ack('h1');
    const before = await harness.generation('h1');
    await harness.createPolicy(six(2, { setupPriority: 3 }));
    expect(await linksOf(2)).toEqual(UPPER);
    expect(await linksOf(1)).toEqual(LOWER);
    expect(await harness.generation('h1')).toBe(before + 1);
    expect((await stateOf(1))?.cause).toBe(
      'policy h1:2:h2 was created (operator alice, revision 3): policy h1:2:h2 of setup priority 3 took bandwidth of link ' +
        'a:b; candidate path 100 of preference 100 is valid',
    );
    // Until its headend has acked, its traffic may still be there.
    expect(await bookedOn('a:b')).toBe(12 * G);
    await harness.ack('h1');
    expect(await bookedOn('a:b')).toBe(6 * G);
  });

  it('gives the bandwidth back when it goes: who was driven out returns', async () => {
    await harness.createPolicy(six(1));
    await harness.createPolicy(six(2, { setupPriority: 3 }));
    await harness.ack('h1');
    expect(await linksOf(1)).toEqual(LOWER);
    await harness.deletePolicy('h1:2:h2');
    await harness.ack('h1');
    await eventually(async () => expect(await linksOf(1)).toEqual(UPPER));
    expect((await stateOf(1))?.cause).toContain('bandwidth was released');
  });

  it('leaves the last one without a path, which falls back until there is room', async () => {
    await harness.createPolicy(six(1));
    await harness.createPolicy(six(2));
    await harness.createPolicy(six(3, { setupPriority: 3, holdPriority: 0 }));
    await harness.ack('h1');
    expect(await linksOf(3)).toEqual(UPPER);
    // Of equals that want the same, the one of the lower id is kept first.
    expect([(await stateOf(1))?.status, (await stateOf(2))?.status].sort()).toEqual(['fallback', 'up']);
    await harness.deletePolicy('h1:3:h2');
    await harness.ack('h1');
    await eventually(async () =>
      expect([(await stateOf(1))?.status, (await stateOf(2))?.status]).toEqual(['up', 'up']),
    );
  });

  it('does not touch who holds at its setup priority or a higher one', async () => {
    await harness.createPolicy(six(1, { holdPriority: 3 }));
    await harness.createPolicy(six(2, { setupPriority: 3 }));
    expect(await linksOf(1)).toEqual(UPPER);
    expect(await linksOf(2)).toEqual(LOWER);
  });

  it('drives on those who can drive out others in their turn', async () => {
    await harness.createPolicy(six(1));
    await harness.createPolicy(six(2, { setupPriority: 4 }));
    expect([await linksOf(1), await linksOf(2)]).toEqual([LOWER, UPPER]);
    await harness.createPolicy(six(3, { setupPriority: 2 }));
    expect([await linksOf(3), await linksOf(2), await linksOf(1)]).toEqual([UPPER, LOWER, undefined]);
    expect((await stateOf(1))?.cause).toContain('policy h1:3:h2 was created');
    expect((await stateOf(1))?.cause).toContain('policy h1:2:h2 of setup priority 4 took bandwidth of link a:c');
  });

  it('takes what it may when its intent is changed', async () => {
    await harness.createPolicy(six(1));
    await harness.createPolicy(six(2));
    await harness.ack('h1');
    const { version, intent } = await harness.service.policy('h1:2:h2');
    await harness.service.replacePolicy('h1:2:h2', { ...intent, setupPriority: 0 }, version, actor);
    await harness.settled();
    // The lower way is still held for it: who had the upper one waits for the ack.
    expect([await linksOf(2), await linksOf(1)]).toEqual([UPPER, undefined]);
    await harness.ack('h1');
    await eventually(async () => expect(await linksOf(1)).toEqual(LOWER));
    const rows = await harness.database.db
      .selectFrom('booking')
      .selectAll()
      .where('policy_id', '=', 'h1:2:h2')
      .execute();
    const current = rows.filter((row) => row.releasing_generation === null);
    expect(new Set(current.map((row) => [row.setup_priority, row.hold_priority].join()))).toEqual(new Set(['0,0']));
  });

  it('drives a pinned policy away from its lists, which it returns to', async () => {
    await harness.createPolicy(six(1));
    const { version } = await harness.service.policy('h1:1:h2');
    await harness.service.pin('h1:1:h2', version, actor);
    await harness.createPolicy(six(2, { setupPriority: 3 }));
    expect([await linksOf(2), await linksOf(1)]).toEqual([UPPER, LOWER]);
    await harness.ack('h1');
    await harness.deletePolicy('h1:2:h2');
    await harness.ack('h1');
    await eventually(async () => expect(await linksOf(1)).toEqual(UPPER));
  });

  it('waits when the one it drives out changes meanwhile: nothing is booked twice', async () => {
    await harness.createPolicy(six(1));
    await harness.ack('h1');
    let once = false;
    harness.beforeEvaluation = async () => {
      // The second evaluation has the preempted policy in it.
      if (once || !harness.evaluated.slice(-1).includes('h1:2:h2')) return;
      once = true;
      const { version, intent } = await harness.service.policy('h1:1:h2');
      await harness.service.replacePolicy('h1:1:h2', { ...intent, name: 'renamed' }, version, actor);
    };
    await harness.createPolicy(six(2, { setupPriority: 3 }));
    await harness.settled();
    expect(once).toBe(true);
    expect([await linksOf(2), await linksOf(1)]).toEqual([UPPER, LOWER]);
    expect((await harness.service.policy('h1:1:h2')).intent.name).toBe('renamed');
  });

  it('is foretold by a dry-run with all whom it drives out', async () => {
    await harness.createPolicy(six(1));
    const { moves } = await harness.service.dryRun([{ kind: 'policy-put', policy: six(2, { setupPriority: 3 }) }]);
    expect(moves.map(({ policyId, change, after }) => [policyId, change, after[0]?.links])).toEqual([
      ['h1:1:h2', 'moved', LOWER],
      ['h1:2:h2', 'created', UPPER],
    ]);
    expect(moves[0]?.message).toContain('policy h1:2:h2 of setup priority 3 took bandwidth of link a:b');
    expect(await linksOf(1)).toEqual(UPPER);
  });

  it('keeps its place when a link shrinks', async () => {
    await harness.createPolicy(six(1, { candidatePaths: [lowestDelay({ bandwidthBps: 4 * G })], setupPriority: 3 }));
    await harness.createPolicy(six(2));
    expect([await linksOf(1), await linksOf(2)]).toEqual([UPPER, UPPER]);
    await harness.setTed(withLinks(diamond(), { 'a:b': { bandwidthBps: 7 * G } }));
    await harness.settled();
    expect([await linksOf(1), await linksOf(2)]).toEqual([UPPER, LOWER]);
  });
});

describe('priorities of an intent', () => {
  it('are refused where the policy could not hold what it takes', async () => {
    const problem = { code: 'request-invalid', info: { field: '/holdPriority' } };
    const refused = harness.service.createPolicy(six(1, { setupPriority: 3, holdPriority: 4 }), actor);
    await expect(refused).rejects.toMatchObject(problem);
    const template = { candidatePaths: six(1).candidatePaths, fallback: 'drop' as const, holdPriority: 4 };
    const overrides = [{ headend: 'h1', endpoint: 'h2', override: { setupPriority: 2 } }];
    const mesh = { id: 'm', color: 9, selector: { all: true as const }, template, overrides };
    await expect(harness.service.createMesh(mesh, actor)).rejects.toMatchObject({
      info: { field: '/overrides/0/override/holdPriority' },
    });
  });

  it('come to the policies of a mesh from its template and from overrides', async () => {
    const template = {
      candidatePaths: [lowestDelay({ bandwidthBps: G })],
      fallback: 'drop' as const,
      setupPriority: 5,
    };
    const overrides = [{ headend: 'h1', endpoint: 'h2', override: { holdPriority: 1 } }];
    await harness.service.createMesh(
      { id: 'm', color: 9, selector: { nodes: ['h1', 'h2'] }, template, overrides },
      actor,
    );
    await harness.settled();
    expect((await harness.service.policy('h1:9:h2')).intent).toMatchObject({ setupPriority: 5, holdPriority: 1 });
    expect(Object.fromEntries(await harness.service.booked(['a:b', 'b:a']))).toEqual({
      'a:b': [0, G, 0, 0, 0, 0, 0, 0],
      'b:a': [0, 0, 0, 0, 0, G, 0, 0],
    });
  });
});
