import { describe, expect, it } from 'vitest';
import { decodeDesiredPolicy, encodeDesiredPolicy } from './desired-policy.js';
import { FEATURES, knownFeatures, understoodEntry } from './features.js';
import { Family, TunnelAction, type DesiredPolicy, type Prefix } from './generated/waymark/agent/v1/agent.js';
import { encodeServiceClass } from './service-class.js';

const address = (last: number): Uint8Array => Uint8Array.of(0xfc, ...new Array<number>(14).fill(0), last);

function policy(classPrefixes: readonly Prefix[]): DesiredPolicy {
  return {
    policyId: 'h1:10:h2',
    color: 10,
    endpoint: address(1),
    usesPlannedSids: false,
    tunnels: [
      {
        family: Family.IPV4,
        action: TunnelAction.ENCAPSULATE,
        bsid: address(2),
        alternateBsid: address(3),
        segmentLists: [{ weight: 1, sids: [address(4)], way: 0 }],
        standbyLists: [{ weight: 1, sids: [address(5)], way: 0 }],
        steeredPrefixes: [{ family: Family.IPV4, address: Uint8Array.of(10, 0, 0, 0), length: 24 }],
        classPrefixes,
      },
    ],
  };
}

const ofClass: Prefix = { family: Family.IPV4, address: Uint8Array.of(10, 9, 0, 0), length: 24 };

describe('what an agent understands of an entry', () => {
  it('is all of it with all features, and of what needs none', () => {
    const body = encodeDesiredPolicy(policy([ofClass]));
    expect(understoodEntry('h1:10:h2', body, FEATURES)).toEqual({ body, lacks: null });
    const plain = encodeDesiredPolicy(policy([]));
    expect(understoodEntry('h1:10:h2', plain, [])).toEqual({ body: plain, lacks: null });
    const ofTomorrow = Uint8Array.of(...plain, 0x9a, 0x06, 0x01, 0x41);
    expect(understoodEntry('h1:10:h2', ofTomorrow, [])).toEqual({ body: ofTomorrow, lacks: null });
  });

  it('without service classes is nothing of a class, and a policy for those who are in none', () => {
    const sources = [Uint8Array.of(10, 1, 0, 1)];
    const some = encodeServiceClass({ classId: 'h1:10:h1', color: 10, sources });
    expect(understoodEntry('h1:10:h1', some, [])).toMatchObject({
      body: null,
      lacks: expect.stringContaining('without service classes') as unknown,
    });
    const { body, lacks } = understoodEntry('h1:10:h2', encodeDesiredPolicy(policy([ofClass])), []);
    expect(lacks).toContain('without the prefixes');
    expect(decodeDesiredPolicy(body ?? new Uint8Array())).toEqual(policy([]));
  });

  it('counts features that this version knows, each once, whatever an agent names', () => {
    expect(knownFeatures(['of-tomorrow', 'service-classes', 'service-classes'])).toEqual(['service-classes']);
    expect(knownFeatures([])).toEqual([]);
  });
});
