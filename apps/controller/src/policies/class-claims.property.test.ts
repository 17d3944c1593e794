import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Prefix } from '@waymark/agent-protocol';
import { ipv6FromBytes, type NodeId } from '@waymark/topology';
import type { ClassMember } from '../model/service-class.js';
import { policyIdOf, type SrPolicyIntent } from '../model/sr-policy.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, lowestDelay, withNodes } from '../testing/sketched-network.js';
import { classClaims, type Claim, type SteeringPolicy } from './steering-claims.js';

const actor = { name: 'operator' };
const hosts = ['h1', 'h2', 'h3'];
const colors = [100, 200];

describe('claims of a service class', () => {
  it('are what policies name, then pod prefixes of where they end, each once; holders keep theirs', () => {
    const prefix = fc.constantFrom('p', 'q', 'r', 's', 't');
    const id = fc.constantFrom('a', 'b', 'c', 'd');
    const podPrefixes = fc
      .dictionary(fc.constantFrom('x', 'y'), fc.uniqueArray(prefix))
      .map((some) => new Map<NodeId, readonly string[]>(Object.entries(some)));
    const policies = fc
      .uniqueArray(
        fc.record({
          id,
          endpoint: fc.constantFrom('x', 'y'),
          steeredPrefixes: fc.option(fc.uniqueArray(prefix)),
        }),
        { selector: (policy) => policy.id },
      )
      .map((some) => {
        // Explicit claims of one headend do not overlap: they are intent, which is checked.
        const taken = new Set<string>();
        return some.map((policy): SteeringPolicy => {
          const own = policy.steeredPrefixes?.filter((name) => !taken.has(name)) ?? null;
          for (const name of own ?? []) taken.add(name);
          return { ...policy, color: 7, steeredPrefixes: own };
        });
      });
    const present = fc.uniqueArray(fc.record({ policyId: id, prefix, explicit: fc.boolean() }), {
      selector: (claim) => claim.prefix,
    });
    fc.assert(
      fc.property(present, policies, podPrefixes, (before, wanted, pods) => {
        const after = classClaims(before, wanted, pods);
        const claimed = new Map(after.map((claim) => [claim.prefix, claim]));
        expect(claimed.size).toBe(after.length);
        for (const name of ['p', 'q', 'r', 's', 't']) expect(claimed.get(name)).toEqual(expected(name));

        function expected(name: string): Claim | undefined {
          const naming = wanted.find(({ steeredPrefixes }) => steeredPrefixes?.includes(name));
          if (naming !== undefined) return { prefix: name, policyId: naming.id, explicit: true };
          const could = wanted.filter(
            ({ steeredPrefixes, endpoint }) => steeredPrefixes === null && pods.get(endpoint)?.includes(name),
          );
          const holder = before.find((claim) => claim.prefix === name && !claim.explicit)?.policyId;
          const next = could.find((policy) => policy.id === holder)?.id ?? could.map((policy) => policy.id).sort()[0];
          return next === undefined ? undefined : { prefix: name, policyId: next, explicit: false };
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

type Step =
  | { readonly kind: 'policy'; readonly intent: SrPolicyIntent }
  | { readonly kind: 'delete'; readonly id: string }
  | { readonly kind: 'members'; readonly members: readonly ClassMember[] }
  | { readonly kind: 'pods'; readonly host: string; readonly prefixes: readonly string[] };

const ownPods = (host: string): string[] => [0, 1, 2, 3, 4, 5].map((i) => `10.${host.slice(1)}.${i}.0/24`);
const terms = fc
  .record({
    headend: fc.constantFrom('h1', 'h2'),
    color: fc.constantFrom(...colors),
    endpoint: fc.constantFrom(...hosts),
    named: fc.option(fc.subarray([1, 2, 3])),
  })
  .filter(({ headend, endpoint }) => headend !== endpoint);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: terms.map(({ headend, color, endpoint, named }): Step => {
      // Of any host, but no two policies of a headend name the same.
      const own = 2 * hosts.indexOf(endpoint) + colors.indexOf(color);
      const steered = named?.map((host) => `10.${host}.${own}.0/24`);
      const intent: SrPolicyIntent = {
        ...{ headend, color, endpoint, fallback: 'drop', candidatePaths: [lowestDelay()] },
        ...(steered === undefined ? {} : { steeredPrefixes: steered }),
      };
      return { kind: 'policy', intent };
    }),
  },
  { weight: 1, arbitrary: terms.map((policy): Step => ({ kind: 'delete', id: policyIdOf(policy as never) })) },
  {
    weight: 2,
    arbitrary: fc
      .uniqueArray(
        fc.record({ headend: fc.constantFrom('h1', 'h2'), color: fc.constantFrom(...colors), n: fc.nat(3) }),
        { selector: ({ headend, n }) => `${headend} ${n}`, maxLength: 5 },
      )
      .map((some): Step => {
        const members = some.map(({ headend, color, n }) => ({
          ...{ headend, color, address: `10.9.${headend.slice(1)}.${n}`, namespace: 'shop', pod: `${headend}-${n}` },
        }));
        return { kind: 'members', members };
      }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...hosts)
      .chain((host) => fc.subarray(ownPods(host)).map((prefixes): Step => ({ kind: 'pods', host, prefixes }))),
  },
);

describe('after any history, headends', () => {
  let harness: PolicyHarness;
  let pods: Record<string, readonly string[]>;

  beforeAll(async () => {
    harness = await PolicyHarness.create(diamond());
    await harness.lead();
  });
  afterAll(() => harness.stop());

  const take = async (one: Step): Promise<void> => {
    if (one.kind === 'members') return harness.setMembers(one.members);
    if (one.kind === 'pods') {
      pods = { ...pods, [one.host]: one.prefixes };
      const nodes = Object.fromEntries(hosts.map((host) => [host, { podPrefixes: pods[host] ?? [] }]));
      return harness.setTed(withNodes(diamond(), nodes));
    }
    const id = one.kind === 'policy' ? policyIdOf(one.intent) : one.id;
    const known = await harness.service.policy(id).catch(() => undefined);
    if (one.kind === 'delete') {
      if (known !== undefined) await harness.service.deletePolicy(id, known.version, actor);
    } else if (known === undefined) await harness.service.createPolicy(one.intent, actor);
    else await harness.service.replacePolicy(id, one.intent, known.version, actor);
  };

  const check = async (intents: ReadonlyMap<string, SrPolicyIntent>, members: readonly ClassMember[]) => {
    const desired = await harness.desired();
    for (const [id, { headend, color, endpoint, steeredPrefixes }] of intents) {
      const isWanted = members.some((member) => member.headend === headend && member.color === color);
      const rivals = [...intents.values()].filter((one) => one.headend === headend && one.color === color);
      const named = new Set(rivals.flatMap((one) => one.steeredPrefixes ?? []));
      const own = steeredPrefixes ?? (pods[endpoint] ?? []).filter((prefix) => !named.has(prefix));
      const tunnels = desired.get(id)?.tunnels ?? [];
      const found = tunnels.flatMap(({ classPrefixes }) => classPrefixes.map(textOf));
      expect([id, new Set(found)]).toEqual([id, new Set(isWanted ? own : [])]);
    }
    const classes = [...(await harness.desiredClasses()).values()].flatMap(({ classId, sources }) =>
      sources.map((source) => `${classId} ${source.join('.')}`),
    );
    const expected = members.map(({ headend, color, address }) => `${headend}:${color}:${headend} ${address}`);
    expect(new Set(classes)).toEqual(new Set(expected));
  };

  it('hold the classes and prefixes that a plain look at everything gives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (history) => {
        pods = {};
        const start = hosts.map((host): Step => ({ kind: 'pods', host, prefixes: ownPods(host) }));
        const intents = new Map<string, SrPolicyIntent>();
        let members: readonly ClassMember[] = [];
        for (const one of [...start, ...history]) {
          await take(one);
          if (one.kind === 'policy') intents.set(policyIdOf(one.intent), one.intent);
          if (one.kind === 'delete') intents.delete(one.id);
          if (one.kind === 'members') members = one.members;
        }
        await harness.settled();
        await check(intents, members);
        for (const id of intents.keys()) await take({ kind: 'delete', id });
        await take({ kind: 'members', members: [] });
        await harness.settled();
        await check(new Map(), []);
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});

function textOf({ address, length }: Prefix): string {
  return `${address.length === 4 ? address.join('.') : ipv6FromBytes(address)}/${length}`;
}
