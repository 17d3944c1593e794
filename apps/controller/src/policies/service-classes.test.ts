import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import type { Prefix, ServiceClass } from '@waymark/agent-protocol';
import { ipv6FromBytes } from '@waymark/topology';
import { Deposed } from '../distribution/fence.js';
import type { ClassMember } from '../model/service-class.js';
import type { MeshIntent, SrPolicyIntent } from '../model/sr-policy.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, lowestDelay, withNodes } from '../testing/sketched-network.js';

const actor = { name: 'operator' };
let harness: PolicyHarness;

afterEach(() => harness.stop());

async function start(): Promise<void> {
  harness = await PolicyHarness.create(diamond());
  await harness.lead();
}

function policy(more: Partial<SrPolicyIntent> = {}): SrPolicyIntent {
  return { headend: 'h1', color: 200, endpoint: 'h2', fallback: 'drop', candidatePaths: [lowestDelay()], ...more };
}

const member = (address: string, color = 200, headend = 'h1'): ClassMember => ({
  ...{ headend, address, color, namespace: 'shop', pod: `pod-${address.replace(/[.:]/g, '-')}` },
});

function textOf({ address, length }: Prefix): string {
  return `${address.length === 4 ? address.join('.') : ipv6FromBytes(address)}/${length}`;
}

/** Prefixes of a policy in the state of its headend: those for all, and those for its class. */
async function prefixesOf(id: string): Promise<{ readonly all: string[]; readonly ofClass: string[] }> {
  const tunnels = (await harness.desired()).get(id)?.tunnels ?? [];
  return {
    all: tunnels.flatMap(({ steeredPrefixes }) => steeredPrefixes.map(textOf)),
    ofClass: tunnels.flatMap(({ classPrefixes }) => classPrefixes.map(textOf)),
  };
}

const sourcesOf = (some: ServiceClass | undefined) =>
  some?.sources.map((source) => (source.length === 4 ? source.join('.') : ipv6FromBytes(source)));

async function classes(): Promise<Record<string, string[] | undefined>> {
  return Object.fromEntries([...(await harness.desiredClasses())].map(([id, one]) => [id, sourcesOf(one)]));
}

async function create(...intents: SrPolicyIntent[]): Promise<void> {
  for (const intent of intents) await harness.service.createPolicy(intent, actor);
  await harness.settled();
}

async function members(...some: ClassMember[]): Promise<void> {
  await harness.setMembers(some);
  await harness.settled();
}

const pods = ['10.2.0.0/16', 'fd10:2::/64'];

describe('pods of a service class', () => {
  it('are an entry of their headend, and the policies of their color get its prefixes, in one generation', async () => {
    await start();
    await create(policy({ color: 100 }), policy());
    expect(await prefixesOf('h1:100:h2')).toEqual({ all: pods, ofClass: [] });
    expect(await prefixesOf('h1:200:h2')).toEqual({ all: [], ofClass: [] });
    const before = await harness.generation('h1');
    await members(member('10.1.0.7'), member('fd10:1::7'), member('10.3.0.1', 200, 'h3'));
    expect(await classes()).toEqual({ 'h1:200:h1': ['10.1.0.7', 'fd10:1::7'], 'h3:200:h3': ['10.3.0.1'] });
    expect(await prefixesOf('h1:100:h2')).toEqual({ all: pods, ofClass: [] });
    expect(await prefixesOf('h1:200:h2')).toEqual({ all: [], ofClass: pods });
    expect(await harness.generation('h1')).toBe(before + 1);
    const { state } = await harness.service.policy('h1:200:h2');
    expect(state?.classPrefixes).toEqual(pods);
    expect((await harness.service.policy('h1:100:h2')).state?.classPrefixes).toEqual([]);
    expect(state?.cause).toContain('pods of service classes came, went or changed their class');
  });

  it('that come and go touch nothing but their class, and the last takes the prefixes with it', async () => {
    await start();
    await create(policy({ color: 100 }), policy());
    await members(member('10.1.0.7'));
    await members(member('10.1.0.7'), member('10.1.0.8'));
    expect(harness.published.at(-1)?.changes.map(({ policyId }) => policyId)).toEqual(['h1:200:h1']);
    await members();
    expect(await classes()).toEqual({});
    expect(await prefixesOf('h1:200:h2')).toEqual({ all: [], ofClass: [] });
    const changes = harness.published.at(-1)?.changes.map(({ policyId, deleted }) => [policyId, deleted]);
    expect(new Map(changes as [string, boolean][])).toEqual(
      new Map([
        ['h1:200:h1', true],
        ['h1:200:h2', false],
      ]),
    );
    const left = await sql`select from steering where class <> ''`.execute(harness.database.db);
    expect(left.rows).toHaveLength(0);
  });

  it('go to another color in one generation', async () => {
    await start();
    await create(policy({ color: 100 }), policy(), policy({ color: 300 }));
    await members(member('10.1.0.7'), member('10.1.0.8'));
    const before = await harness.generation('h1');
    await members(member('10.1.0.7', 300), member('10.1.0.8', 300));
    expect(await classes()).toEqual({ 'h1:300:h1': ['10.1.0.7', '10.1.0.8'] });
    expect((await prefixesOf('h1:200:h2')).ofClass).toEqual([]);
    expect((await prefixesOf('h1:300:h2')).ofClass).toEqual(pods);
    expect(await harness.generation('h1')).toBe(before + 1);
  });

  it('get policies that are made later, with the prefixes that these name, before those by default', async () => {
    await start();
    await members(member('10.1.0.7'));
    await create(policy());
    expect((await prefixesOf('h1:200:h2')).ofClass).toEqual(pods);
    await create(policy({ endpoint: 'h3', steeredPrefixes: ['10.2.0.0/16', '10.99.0.0/16'] }));
    expect((await prefixesOf('h1:200:h3')).ofClass).toEqual(['10.2.0.0/16', '10.99.0.0/16']);
    expect((await prefixesOf('h1:200:h2')).ofClass).toEqual(['fd10:2::/64']);
    const { version } = await harness.service.policy('h1:200:h3');
    await harness.service.replacePolicy('h1:200:h3', policy({ endpoint: 'h3' }), version, actor);
    await harness.settled();
    expect((await prefixesOf('h1:200:h3')).ofClass).toEqual(['10.3.0.0/16', 'fd10:3::/64']);
    expect((await prefixesOf('h1:200:h2')).ofClass).toEqual(pods);
  });

  it('lose nothing but the prefixes of a policy that is deleted', async () => {
    await start();
    await members(member('10.1.0.7'));
    await create(policy(), policy({ endpoint: 'h3', steeredPrefixes: ['10.2.0.0/16'] }));
    const { version } = await harness.service.policy('h1:200:h3');
    await harness.service.deletePolicy('h1:200:h3', version, actor);
    await harness.settled();
    expect((await prefixesOf('h1:200:h2')).ofClass).toEqual(pods);
    expect(await classes()).toEqual({ 'h1:200:h1': ['10.1.0.7'] });
  });

  it('follow the pod prefixes of where policies end, and the members of meshes', async () => {
    await start();
    const mesh: MeshIntent = {
      ...{ id: 'gold', color: 200, selector: { nodes: ['h1', 'h2'] }, overrides: [] },
      template: { candidatePaths: [lowestDelay()], fallback: 'drop' },
    };
    await harness.service.createMesh(mesh, actor);
    await members(member('10.1.0.7'), member('10.2.0.7', 200, 'h2'));
    expect((await prefixesOf('h1:200:h2')).ofClass).toEqual(pods);
    await harness.setTed(withNodes(diamond(), { h2: { podPrefixes: ['10.2.0.0/24'] } }));
    await harness.settled();
    expect((await prefixesOf('h1:200:h2')).ofClass).toEqual(['10.2.0.0/24']);
    const { version } = await harness.service.mesh('gold');
    await harness.service.replaceMesh('gold', { ...mesh, selector: { nodes: ['h1', 'h2', 'h3'] } }, version, actor);
    await harness.settled();
    expect((await prefixesOf('h1:200:h3')).ofClass).toEqual(['10.3.0.0/16', 'fd10:3::/64']);
    expect((await prefixesOf('h2:200:h3')).ofClass).toEqual(['10.3.0.0/16', 'fd10:3::/64']);
    expect((await prefixesOf('h3:200:h1')).ofClass).toEqual([]);
  });

  it('go as all others while their policy has nothing but the shortest path, and with it nowhere when it drops', async () => {
    await start();
    const impossible = [lowestDelay({ bounds: [{ metric: 'delay', max: 1 }] })];
    await create(
      policy({ candidatePaths: impossible, fallback: 'shortest-path' }),
      policy({ endpoint: 'h3', candidatePaths: impossible, fallback: 'drop' }),
    );
    await members(member('10.1.0.7'));
    expect(await prefixesOf('h1:200:h2')).toEqual({ all: pods, ofClass: [] });
    expect((await harness.service.policy('h1:200:h2')).state?.classPrefixes).toEqual([]);
    expect((await harness.service.policy('h1:200:h3')).state?.classPrefixes).toEqual(['10.3.0.0/16', 'fd10:3::/64']);
    expect(await prefixesOf('h1:200:h3')).toEqual({
      all: ['10.3.0.0/16', 'fd10:3::/64'],
      ofClass: ['10.3.0.0/16', 'fd10:3::/64'],
    });
    const { version } = await harness.service.policy('h1:200:h2');
    await harness.service.replacePolicy('h1:200:h2', policy({ fallback: 'shortest-path' }), version, actor);
    await harness.settled();
    expect((await prefixesOf('h1:200:h2')).ofClass).toEqual(pods);
  });

  it('cannot be changed by a leader that was deposed', async () => {
    await start();
    const { epoch } = await harness.database.db.selectFrom('leader').select('epoch').executeTakeFirstOrThrow();
    const changes = { put: [member('10.1.0.7')], removed: [] };
    await expect(harness.classes.changeMembers(epoch - 1, 'paris', changes)).rejects.toThrow(Deposed);
    expect(await harness.classes.members('paris')).toEqual([]);
  });

  it('are told to the headend by the next leader when the one before went in between', async () => {
    await start();
    await create(policy());
    harness.stopLeading();
    await harness.setMembers([member('10.1.0.7')]);
    expect(await classes()).toEqual({});
    await harness.lead();
    await harness.settled();
    expect(await classes()).toEqual({ 'h1:200:h1': ['10.1.0.7'] });
    expect((await prefixesOf('h1:200:h2')).ofClass).toEqual(pods);
  });

  it('do not count as policies, and a class that is withdrawn is forgotten once it is acked', async () => {
    await start();
    await create(policy());
    await members(member('10.1.0.7'));
    await harness.ack('h1');
    expect(await harness.classes.serviceClasses({}, { limit: 10 })).toMatchObject({
      items: [
        { headend: 'h1', color: 200, install: 'installed', sources: [{ cluster: 'paris', address: '10.1.0.7' }] },
      ],
    });
    await members();
    await harness.meetAgent('h1');
    expect(await harness.service.beingWithdrawn({ color: 200 })).toBe(0);
    await harness.ack('h1');
    const rows = await sql`select from desired where headend = 'h1'`.execute(harness.database.db);
    expect(rows.rows).toHaveLength(1);
  });

  it('of clusters that are followed no more are withdrawn', async () => {
    await start();
    await harness.setMembers([member('10.1.0.7')], 'paris');
    await harness.setMembers([member('10.1.0.8')], 'rome');
    const { epoch } = await harness.database.db.selectFrom('leader').select('epoch').executeTakeFirstOrThrow();
    await harness.classes.withdrawOtherClusters(epoch, ['rome']);
    await harness.settled();
    expect(await classes()).toEqual({ 'h1:200:h1': ['10.1.0.8'] });
    const head = () => harness.database.db.selectFrom('head').select('revision').executeTakeFirstOrThrow();
    const before = await head();
    await harness.classes.withdrawOtherClusters(epoch, ['rome']);
    expect(await head()).toEqual(before);
  });

  it('are listed in pages, by headend and color, and filtered', async () => {
    await start();
    await harness.setMembers([
      ...[member('10.1.0.7'), member('10.1.0.8', 1000), member('10.1.0.9', 1000)],
      ...[member('10.3.0.7', 200, 'h3'), member('10.2.0.7', 300, 'H2')],
    ]);
    const all: string[] = [];
    let after: string | null = null;
    do {
      const page = await harness.classes.serviceClasses({}, { limit: 2, ...(after === null ? {} : { after }) });
      all.push(...page.items.map(({ headend, color, sources }) => `${headend} ${color} ${sources.length}`));
      after = page.next;
    } while (after !== null);
    expect(all).toEqual(['H2 300 1', 'h1 200 1', 'h1 1000 2', 'h3 200 1']);
    const filtered = await harness.classes.serviceClasses({ headend: 'h1', color: 1000 }, { limit: 2 });
    expect(filtered.items.map(({ sources }) => sources.map(({ address }) => address))).toEqual([
      ['10.1.0.8', '10.1.0.9'],
    ]);
    expect(filtered.next).toBeNull();
  });
});
