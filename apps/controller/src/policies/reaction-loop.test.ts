import { afterEach, describe, expect, it } from 'vitest';
import type { SrPolicyIntent } from '../model/sr-policy.js';
import { eventually } from '../testing/eventually.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, LOWER, lowestDelay, UPPER, withLinkDown, withLinks, withNodes } from '../testing/sketched-network.js';

const actor = { name: 'operator' };
const G = 1_000_000_000;
let harness: PolicyHarness;

afterEach(() => harness.stop());

/** a:b is worse than it was: through c is better. */
const slowUpper = () => withLinks(diamond(), { 'a:b': { delayUs: 9000 } });

function policy(more: Partial<SrPolicyIntent> = {}): SrPolicyIntent {
  return { headend: 'h1', color: 1, endpoint: 'h2', fallback: 'drop', candidatePaths: [lowestDelay()], ...more };
}

function six(color: number): SrPolicyIntent {
  return policy({ color, candidatePaths: [lowestDelay({ bandwidthBps: 6 * G })] });
}

async function start(ted = diamond(), settings: Parameters<PolicyHarness['lead']>[0] = {}): Promise<PolicyHarness> {
  harness = await PolicyHarness.create(ted);
  await harness.lead(settings);
  return harness;
}

async function create(intent: SrPolicyIntent): Promise<void> {
  await harness.service.createPolicy(intent, actor);
  await harness.settled();
}

async function linksOf(id: string): Promise<readonly string[] | undefined> {
  return (await harness.service.policy(id)).state?.lists[0]?.links;
}

describe('from intent to what the headend is to hold', () => {
  it('publishes a new policy: lists, steering and two binding SIDs per family', async () => {
    await start();
    await create(policy());
    const desired = (await harness.desired()).get('h1:1:h2');
    expect(desired?.tunnels.map((tunnel) => [tunnel.segmentLists.length, tunnel.steeredPrefixes.length])).toEqual([
      [1, 1],
      [1, 1],
    ]);
    const sids = desired?.tunnels.flatMap(({ bsid, alternateBsid }) => [bsid, alternateBsid].map(String)) ?? [];
    expect(new Set(sids).size).toBe(4);
    expect(harness.published.map(({ headend, generation }) => [headend, generation])).toEqual([['h1', 1]]);

    const view = await harness.service.policy('h1:1:h2');
    expect(view.state).toMatchObject({
      status: 'up',
      activeCandidatePath: 100,
      compliance: 'constraints-met',
      generation: 1,
      install: 'pending',
      eventToInstalledMs: null,
      steering: [
        { prefix: '10.2.0.0/16', heldBy: null },
        { prefix: 'fd10:2::/64', heldBy: null },
      ],
    });
    expect(view.state?.bindingSids).toHaveLength(2);
    expect(harness.events.map(({ type }) => type)).toEqual(['policy.intent', 'policy.state']);
  });

  it('shows a policy as installed, and after how long, once it is acked', async () => {
    await start();
    await create(policy());
    await harness.ack('h1');
    const { state } = await harness.service.policy('h1:1:h2');
    expect(state?.install).toBe('installed');
    expect(state?.eventToInstalledMs).toBeGreaterThanOrEqual(0);
  });

  it('withdraws a deleted policy', async () => {
    await start();
    await create(policy());
    const { version } = await harness.service.policy('h1:1:h2');
    await harness.service.deletePolicy('h1:1:h2', version, actor);
    await harness.settled();
    expect(await harness.desired()).toEqual(new Map());
    await expect(harness.service.policy('h1:1:h2')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('drops what it cannot carry when asked to, and withdraws steering when nothing delivers', async () => {
    await start();
    const impossible = [lowestDelay({ bounds: [{ metric: 'delay', max: 1 }] })];
    await create(policy({ candidatePaths: impossible }));
    expect(await harness.tunnels('h1:1:h2')).toEqual([
      { lists: [], prefixes: 1 },
      { lists: [], prefixes: 1 },
    ]);
    await create(policy({ color: 2, endpoint: 'h3', fallback: 'shortest-path' }));
    expect((await harness.tunnels('h1:2:h3'))[0]?.lists).toHaveLength(1);
    await harness.setTed(withLinkDown(diamond(), 'h3:b'));
    await harness.settled();
    expect(await harness.tunnels('h1:2:h3')).toEqual([]);
    expect((await harness.service.policy('h1:2:h3')).state).toMatchObject({ status: 'down', install: 'none' });
  });
});

describe('a change of the topology', () => {
  it('moves a policy whose path got worse and remembers where it was', async () => {
    await start();
    await create(policy());
    await harness.setTed(slowUpper());
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    const view = await harness.service.policy('h1:1:h2');
    expect(view.canRollBack).toBe(true);
    expect(view.state?.generation).toBe(2);
    expect(view.state?.cause).toContain('delay');
  });

  it('evaluates only the policies that it can affect', async () => {
    await start();
    await create(policy());
    await create(policy({ headend: 'h2', endpoint: 'h1' }));
    await create(policy({ endpoint: 'h3' }));
    harness.evaluated.length = 0;
    await harness.setTed(withLinks(diamond(), { 'b:d': { delayUs: 1500 } }));
    await harness.settled();
    expect(harness.evaluated).toEqual(['h1:1:h2']);
  });

  it('reissues a changed service SID to every headend', async () => {
    await start();
    await create(policy());
    await create(policy({ headend: 'h3' }));
    const sids = diamond()
      .nodes.find(({ id }) => id === 'h2')
      ?.sids.map((sid) => ({ ...sid, sid: sid.sid.replace(':d', ':e') }));
    await harness.setTed(withNodes(diamond(), { h2: { sids: sids ?? [] } }));
    await harness.settled();
    for (const id of ['h1:1:h2', 'h3:1:h2']) {
      expect((await harness.tunnels(id))[0]?.lists[0]?.at(-1)).toContain(':e4');
    }
  });

  it('steers new pod prefixes without touching the lists', async () => {
    await start();
    await create(policy());
    await harness.setTed(withNodes(diamond(), { h2: { podPrefixes: ['10.2.0.0/16', '10.9.0.0/16'] } }));
    await harness.settled();
    expect((await harness.tunnels('h1:1:h2')).map(({ prefixes }) => prefixes)).toEqual([2, 0]);
    expect((await harness.service.policy('h1:1:h2')).state?.cause).toContain('steered prefixes');
  });

  it('tries a policy without a path again when one appears', async () => {
    await start(withLinkDown(diamond(), 'd:h2'));
    await create(policy());
    expect((await harness.service.policy('h1:1:h2')).state?.status).toBe('fallback');
    await harness.setTed(diamond());
    await harness.settled();
    expect((await harness.service.policy('h1:1:h2')).state?.status).toBe('up');
  });

  it('moves what the IGP shifts onto a better way only when its proof fails', async () => {
    await start(withLinks(diamond(), { 'a:b': { igpMetric: 100 }, 'b:a': { igpMetric: 100 } }));
    await create(policy({ candidatePaths: [lowestDelay({ exclude: { nodes: ['b'] } })] }));
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    const before = await harness.tunnels('h1:1:h2');
    // The IGP now prefers the excluded router: a list that leaves the way to the IGP is no longer right.
    await harness.setTed(diamond());
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    expect(await harness.tunnels('h1:1:h2')).not.toEqual(before);
  });

  it('does nothing for a change that affects nobody', async () => {
    await start();
    await create(policy());
    await harness.setTed(withLinks(diamond(), { 'c:d': { delayUs: 9000 } }));
    await harness.settled();
    expect(await harness.generation('h1')).toBe(1);
  });
});

describe('hysteresis', () => {
  const cut = () => withNodes(diamond(), { b: { operationalState: 'down' } });

  it('uses a returned link only after its hold time', async () => {
    await start(diamond(), { holdMs: 10_000 });
    await create(
      policy({
        candidatePaths: [lowestDelay({ include: [{ node: 'c' }] }, 50), lowestDelay({ include: [{ node: 'b' }] })],
      }),
    );
    expect(await linksOf('h1:1:h2')).toEqual(UPPER);
    await harness.setTed(cut());
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    await harness.setTed(diamond());
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    harness.pass(9_000);
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    harness.pass(2_000);
    await eventually(async () => expect(await linksOf('h1:1:h2')).toEqual(UPPER));
  });

  it('survives a change of leader', async () => {
    await start(diamond(), { holdMs: 10_000 });
    await create(
      policy({
        candidatePaths: [lowestDelay({ include: [{ node: 'c' }] }, 50), lowestDelay({ include: [{ node: 'b' }] })],
      }),
    );
    await harness.setTed(cut());
    await harness.settled();
    await harness.setTed(diamond());
    await harness.settled();
    await harness.lead({ holdMs: 10_000 });
    harness.pass(1);
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    harness.pass(11_000);
    await eventually(async () => expect(await linksOf('h1:1:h2')).toEqual(UPPER));
  });

  it('uses a returned link at once when there is nothing else', async () => {
    await start(withLinkDown(diamond(), 'd:h2'), { holdMs: 10_000 });
    await create(policy());
    await harness.setTed(diamond());
    await harness.settled();
    expect((await harness.service.policy('h1:1:h2')).state?.status).toBe('up');
  });
});

describe('a new leader', () => {
  it('publishes nothing when nothing changed', async () => {
    await start();
    await create(policy());
    await create(six(2));
    const before = harness.published.length;
    await harness.lead();
    await harness.setTed(diamond());
    await harness.settled();
    expect(harness.published).toHaveLength(before);
  });

  it('computes what the one before left behind', async () => {
    await start();
    await create(policy());
    harness.stopLeading();
    await harness.setTed(slowUpper());
    await harness.service.createPolicy(policy({ color: 7 }), actor);
    await harness.lead();
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    expect(await linksOf('h1:7:h2')).toEqual(LOWER);
  });
});

describe('a fault in the middle', () => {
  it('loses nothing of what was seen and not published', async () => {
    await start();
    await create(policy());
    let failed = false;
    harness.beforeEvaluation = () => {
      if (failed) return Promise.resolve();
      failed = true;
      return Promise.reject(new Error('a worker died'));
    };
    await harness.setTed(slowUpper());
    await harness.settled();
    expect(harness.takeFaults()).toHaveLength(1);
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
  });
});

describe('a topology that moves during a computation', () => {
  it('never lets a list be published that the newer topology breaks', async () => {
    await start();
    let moved = false;
    harness.beforeEvaluation = async () => {
      if (moved) return;
      moved = true;
      await harness.setTed(withNodes(diamond(), { b: { adminState: 'down' } }));
    };
    await create(policy());
    expect(moved).toBe(true);
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    // Nothing through b was ever written: the first generation is the right one.
    expect((await harness.service.policy('h1:1:h2')).state?.generation).toBe(1);
  });

  it('cannot keep a policy from being published by never standing still', async () => {
    await start();
    const writers: Promise<void>[] = [];
    harness.beforeEvaluation = async () => {
      if (writers.length === 8) return;
      const writer = harness.setTed(withLinks(diamond(), { 'c:d': { delayUs: 5000 + writers.length } }));
      writers.push(writer);
      // Where the topology stands still the writer must wait for this evaluation, not this evaluation for the writer.
      await Promise.race([writer, new Promise((resolve) => setTimeout(resolve, 300))]);
    };
    await create(policy());
    await Promise.all(writers);
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(UPPER);
    // No publication was given up.
    expect(harness.takeFaults()).toEqual([]);
  });

  it('publishes what still holds', async () => {
    await start();
    let moved = false;
    harness.beforeEvaluation = async () => {
      if (moved) return;
      moved = true;
      await harness.setTed(withLinks(diamond(), { 'c:d': { delayUs: 5000 } }));
    };
    await create(policy());
    expect(await linksOf('h1:1:h2')).toEqual(UPPER);
  });
});

describe('bandwidth', () => {
  it('is booked with the path and never shared beyond the link', async () => {
    await start();
    await create(six(1));
    await create(six(2));
    expect(await linksOf('h1:1:h2')).toEqual(UPPER);
    expect(await linksOf('h1:2:h2')).toEqual(LOWER);
    const booked = await harness.service.booked(['h1:a', 'a:b', 'a:c', 'b:a']);
    const atLowest = (gigabits: number) => [0, 0, 0, 0, 0, 0, 0, gigabits * G];
    expect(Object.fromEntries(booked)).toEqual({ 'h1:a': atLowest(12), 'a:b': atLowest(6), 'a:c': atLowest(6) });
    await create(six(3));
    expect((await harness.service.policy('h1:3:h2')).state).toMatchObject({ status: 'fallback' });
  });

  it('is released by the ack of the removal, and then serves who waits for it', async () => {
    await start();
    await harness.meetAgent('h1');
    for (const color of [1, 2, 3]) await create(six(color));
    await harness.ack('h1');
    const { version } = await harness.service.policy('h1:1:h2');
    await harness.service.deletePolicy('h1:1:h2', version, actor);
    await harness.settled();
    expect((await harness.service.policy('h1:3:h2')).state?.status).toBe('fallback');
    await harness.ack('h1');
    await eventually(async () => expect((await harness.service.policy('h1:3:h2')).state?.status).toBe('up'));
    expect(await linksOf('h1:3:h2')).toEqual(UPPER);
  });

  it('stays booked where the headend could not make the change', async () => {
    await start();
    await harness.meetAgent('h1');
    await create(six(1));
    await harness.ack('h1');
    await harness.setTed(slowUpper());
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    await harness.ack('h1', 'failed');
    const booked = await harness.database.db.selectFrom('booking').select('link_id').distinct().execute();
    expect(booked.map(({ link_id }) => link_id).sort()).toEqual([...new Set([...UPPER, ...LOWER])].sort());
    await harness.ack('h1', 'installed');
    const rest = await harness.database.db.selectFrom('booking').select('link_id').distinct().execute();
    expect(rest.map(({ link_id }) => link_id).sort()).toEqual([...LOWER].sort());
  });
});

describe('default steering', () => {
  it('gives a prefix to one policy, tells the others who holds it, and passes it on', async () => {
    await start();
    await create(policy({ color: 5 }));
    await create(policy({ color: 2 }));
    // The holder keeps what carries traffic, though the newcomer has the lower color.
    expect((await harness.service.policy('h1:2:h2')).state?.steering[0]).toEqual({
      prefix: '10.2.0.0/16',
      heldBy: 'h1:5:h2',
    });
    const { version } = await harness.service.policy('h1:5:h2');
    await harness.service.deletePolicy('h1:5:h2', version, actor);
    await harness.settled();
    expect((await harness.tunnels('h1:2:h2')).map(({ prefixes }) => prefixes)).toEqual([1, 1]);
  });

  it('gives way to explicit steering and returns when that ends', async () => {
    await start();
    await create(policy());
    await create(policy({ color: 2, steeredPrefixes: ['10.2.0.0/16'] }));
    expect((await harness.tunnels('h1:1:h2')).map(({ prefixes }) => prefixes)).toEqual([0, 1]);
    expect((await harness.tunnels('h1:2:h2')).map(({ prefixes }) => prefixes)).toEqual([1, 0]);
    const { version } = await harness.service.policy('h1:2:h2');
    await harness.service.deletePolicy('h1:2:h2', version, actor);
    await harness.settled();
    expect((await harness.tunnels('h1:1:h2')).map(({ prefixes }) => prefixes)).toEqual([1, 1]);
  });
});

describe('pinning', () => {
  it('keeps the lists whatever gets better, until it is undone', async () => {
    await start(slowUpper());
    await create(policy());
    const { version } = await harness.service.policy('h1:1:h2');
    const pinned = await harness.service.pin('h1:1:h2', version, actor);
    expect(pinned.pinned).toBe(true);
    await harness.setTed(diamond());
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    await harness.service.unpin('h1:1:h2', pinned.version, actor);
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(UPPER);
  });

  it('rolls back to the previous lists and stays there', async () => {
    await start(slowUpper());
    await create(policy());
    await harness.setTed(diamond());
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(UPPER);
    const { version } = await harness.service.policy('h1:1:h2');
    await harness.service.rollBack('h1:1:h2', version, actor);
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(LOWER);
    expect((await harness.service.policy('h1:1:h2')).pinned).toBe(true);
  });

  it('rolls back to what was before the newest move, when the policy moves meanwhile', async () => {
    await start(slowUpper());
    await create(policy());
    await harness.setTed(diamond());
    await harness.settled();
    const { version } = await harness.service.policy('h1:1:h2');
    harness.beforeEvaluation = async () => {
      harness.beforeEvaluation = () => Promise.resolve();
      await harness.setTed(slowUpper());
      await harness.settled();
    };
    await harness.service.rollBack('h1:1:h2', version, actor);
    await harness.settled();
    expect(await linksOf('h1:1:h2')).toEqual(UPPER);
  });

  it('refuses to roll back to lists that would not deliver', async () => {
    await start(slowUpper());
    await create(policy());
    await harness.setTed(diamond());
    await harness.settled();
    await harness.setTed(withNodes(diamond(), { c: { operationalState: 'down' } }));
    await harness.settled();
    const { version } = await harness.service.policy('h1:1:h2');
    await expect(harness.service.rollBack('h1:1:h2', version, actor)).rejects.toMatchObject({
      code: 'no-lists-to-return-to',
    });
  });
});

describe('a mesh', () => {
  const mesh = (more: object = {}) => ({
    id: 'gold',
    color: 10,
    selector: { all: true as const },
    template: { candidatePaths: [lowestDelay()], fallback: 'drop' as const },
    overrides: [],
    ...more,
  });

  it('makes a policy for every ordered pair of hosts but the excluded ones', async () => {
    await start();
    const excluded = { headend: 'h1', endpoint: 'h3', override: { exclude: true as const } };
    await harness.service.createMesh(mesh({ overrides: [excluded] }), actor);
    await harness.settled();
    expect([...(await harness.desired()).keys()].sort()).toEqual([
      'h1:10:h2',
      'h2:10:h1',
      'h2:10:h3',
      'h3:10:h1',
      'h3:10:h2',
    ]);
    expect((await harness.service.mesh('gold')).policies).toMatchObject({ total: 5, up: 5 });
  });

  it('follows the hosts of the topology', async () => {
    await start({ ...diamond(), nodes: diamond().nodes.filter(({ id }) => id !== 'h3') });
    await harness.service.createMesh(mesh(), actor);
    await harness.settled();
    expect((await harness.service.mesh('gold')).policies.total).toBe(2);
    await harness.setTed(diamond());
    await eventually(async () =>
      expect((await harness.service.mesh('gold')).policies).toMatchObject({ total: 6, up: 6 }),
    );
    await harness.setTed({ ...diamond(), nodes: diamond().nodes.filter(({ id }) => id !== 'h2') });
    await eventually(async () => {
      expect((await harness.service.mesh('gold')).policies.total).toBe(2);
      expect((await harness.desired()).size).toBe(2);
    });
  });

  it('changes all its policies with its template, and none that did not change', async () => {
    await start();
    const { version } = await harness.service.createMesh(mesh(), actor);
    await harness.settled();
    const before = harness.published.length;
    const template = {
      candidatePaths: [lowestDelay({ exclude: { nodes: ['b'] } })],
      fallback: 'shortest-path' as const,
    };
    await harness.service.replaceMesh('gold', mesh({ template }), version, actor);
    await harness.settled();
    expect(await linksOf('h1:10:h2')).toEqual(LOWER);
    expect(harness.published.length).toBeGreaterThan(before);
  });

  it('leaves a pair to the policy that stands by itself, and takes it over when that goes', async () => {
    await start();
    await create(policy({ color: 10 }));
    await harness.service.createMesh(mesh(), actor);
    await harness.settled();
    expect((await harness.service.policy('h1:10:h2')).mesh).toBeNull();
    const { version } = await harness.service.policy('h1:10:h2');
    await harness.service.deletePolicy('h1:10:h2', version, actor);
    await eventually(async () => expect((await harness.service.policy('h1:10:h2')).mesh).toBe('gold'));
  });

  it('goes with all its policies', async () => {
    await start();
    const { version } = await harness.service.createMesh(mesh(), actor);
    await harness.settled();
    await harness.service.deleteMesh('gold', version, actor);
    await harness.settled();
    expect((await harness.desired()).size).toBe(0);
  });
});
