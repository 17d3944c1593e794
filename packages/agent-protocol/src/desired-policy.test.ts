import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDesiredPolicy, encodeDesiredPolicy } from './desired-policy.js';
import { DesiredPolicy, Family, TunnelAction, type Prefix, type Tunnel } from './generated/waymark/agent/v1/agent.js';
import { ProtocolError } from './protocol-error.js';

const address = fc.uint8Array({ minLength: 16, maxLength: 16 });

function prefixes(family: Family): fc.Arbitrary<Prefix[]> {
  const bytes = family === Family.IPV4 ? 4 : 16;
  const prefix = fc
    .record({ bits: fc.uint8Array({ minLength: bytes, maxLength: bytes }), length: fc.nat(bytes * 8) })
    .map(({ bits, length }) => ({
      family,
      length,
      address: bits.map((byte, index) => byte & ~(0xff >> Math.min(8, Math.max(0, length - index * 8)))),
    }));
  return fc.uniqueArray(prefix, {
    maxLength: 5,
    selector: ({ address, length }) => `${Buffer.from(address).toString('hex')}/${String(length)}`,
  });
}

function tunnel(family: Family): fc.Arbitrary<Tunnel> {
  const list = fc.record({
    weight: fc.integer({ min: 1, max: 1000 }),
    sids: fc.array(address, { minLength: 1, maxLength: 6 }),
    way: fc.nat({ max: 3 }),
  });
  return fc
    .record({
      family: fc.constant(family),
      action: fc.constantFrom(TunnelAction.ENCAPSULATE, TunnelAction.DROP),
      bsid: address,
      alternateBsid: address,
      segmentLists: fc.array(list, { minLength: 1, maxLength: 3 }),
      standbyLists: fc.array(list, { maxLength: 3 }),
      steeredPrefixes: prefixes(family),
      classPrefixes: prefixes(family),
    })
    .filter(({ bsid, alternateBsid }) => Buffer.compare(bsid, alternateBsid) !== 0)
    .map((made) => (made.action === TunnelAction.DROP ? { ...made, segmentLists: [], standbyLists: [] } : made));
}

const policy: fc.Arbitrary<DesiredPolicy> = fc.record({
  policyId: fc.constant('h1:100:h2'),
  color: fc.constant(100),
  endpoint: address,
  tunnels: fc
    .tuple(fc.option(tunnel(Family.IPV6)), fc.option(tunnel(Family.IPV4)))
    .map((pair) => pair.filter((t) => t !== null)),
  usesPlannedSids: fc.boolean(),
});

function shuffled(original: DesiredPolicy): DesiredPolicy {
  return {
    ...original,
    tunnels: [...original.tunnels].reverse().map((one) => ({
      ...one,
      segmentLists: [...one.segmentLists].reverse(),
      standbyLists: [...one.standbyLists].reverse(),
      steeredPrefixes: [...one.steeredPrefixes].reverse(),
      classPrefixes: [...one.classPrefixes].reverse(),
    })),
  };
}

describe('the bytes of a policy', () => {
  it('are the same whatever the order of tunnels, lists and prefixes', () => {
    fc.assert(
      fc.property(policy, (some) => {
        expect(encodeDesiredPolicy(shuffled(some))).toEqual(encodeDesiredPolicy(some));
      }),
    );
  });

  it('give the policy back', () => {
    fc.assert(
      fc.property(policy, (some) => {
        const bytes = encodeDesiredPolicy(some);
        expect(encodeDesiredPolicy(decodeDesiredPolicy(bytes))).toEqual(bytes);
      }),
    );
  });

  it('are refused with a ProtocolError, and nothing else, when they were tampered with', () => {
    fc.assert(
      fc.property(policy, fc.nat(), fc.integer({ min: 1, max: 255 }), (some, position, flip) => {
        const bytes = encodeDesiredPolicy(some);
        const index = position % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ flip;
        try {
          // A flipped bit of an address makes another valid policy; nothing else may pass.
          expect(encodeDesiredPolicy(decodeDesiredPolicy(bytes))).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });

  it('are refused with a ProtocolError when they are noise, cut short or longer than they should be', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (noise) => {
        expect(() => decodeDesiredPolicy(noise)).toThrow(ProtocolError);
      }),
    );
    fc.assert(
      fc.property(policy, fc.nat(), (some, cut) => {
        const bytes = encodeDesiredPolicy(some);
        // Cut between two tunnels, what is left may be a whole policy; the state hash tells that it is not this one.
        const start = bytes.subarray(0, cut % bytes.length);
        const read = decoded(start);
        if (!(read instanceof ProtocolError)) expect(encodeDesiredPolicy(read)).toEqual(start);
        expect(() => decodeDesiredPolicy(Buffer.concat([bytes, Buffer.from([0])]))).toThrow(ProtocolError);
      }),
    );
  });
});

/** The policy, or the error that was thrown; any other error fails the test. */
function decoded(bytes: Uint8Array): DesiredPolicy | ProtocolError {
  try {
    return decodeDesiredPolicy(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}

describe('a policy is refused when', () => {
  const sid = (last: number): Uint8Array => Uint8Array.of(...new Array<number>(15).fill(0), last);
  const good: Tunnel = {
    family: Family.IPV4,
    action: TunnelAction.ENCAPSULATE,
    bsid: sid(1),
    alternateBsid: sid(2),
    segmentLists: [{ weight: 1, sids: [sid(3)], way: 0 }],
    standbyLists: [{ weight: 1, sids: [sid(4)], way: 0 }],
    steeredPrefixes: [{ family: Family.IPV4, address: Uint8Array.of(10, 1, 0, 0), length: 16 }],
    classPrefixes: [{ family: Family.IPV4, address: Uint8Array.of(10, 1, 0, 0), length: 16 }],
  };
  const base: DesiredPolicy = {
    policyId: 'h1:7:h2',
    color: 7,
    endpoint: sid(9),
    tunnels: [good],
    usesPlannedSids: false,
  };
  const withTunnel = (change: Partial<Tunnel>): DesiredPolicy => ({ ...base, tunnels: [{ ...good, ...change }] });
  const prefix = (change: Partial<Prefix>): DesiredPolicy =>
    withTunnel({
      steeredPrefixes: [{ family: Family.IPV4, address: Uint8Array.of(10, 1, 0, 0), length: 16, ...change }],
    });

  it.each<[string, DesiredPolicy]>([
    ['its id is malformed', { ...base, policyId: 'h1:0:h2' }],
    ['its id is that of a service class', { ...base, policyId: 'h1:7:h1' }],
    ['its color is not that of its id', { ...base, color: 8 }],
    ['its endpoint is no IPv6 address', { ...base, endpoint: new Uint8Array(4) }],
    ['two tunnels have one family', { ...base, tunnels: [good, good] }],
    ['a tunnel has no family', withTunnel({ family: Family.UNSPECIFIED })],
    ['a tunnel has no action', withTunnel({ action: TunnelAction.UNSPECIFIED })],
    ['a binding SID is missing', withTunnel({ bsid: new Uint8Array(0) })],
    ['both binding SIDs are one', withTunnel({ alternateBsid: sid(1) })],
    ['there is nothing to encapsulate into', withTunnel({ segmentLists: [] })],
    ['a tunnel drops into a list', withTunnel({ action: TunnelAction.DROP, standbyLists: [] })],
    ['a tunnel drops into a standby list', withTunnel({ action: TunnelAction.DROP, segmentLists: [] })],
    ['a standby list has no SIDs', withTunnel({ standbyLists: [{ weight: 1, sids: [], way: 0 }] })],
    ['a list has no weight', withTunnel({ segmentLists: [{ weight: 0, sids: [sid(3)], way: 0 }] })],
    ['a list has no SIDs', withTunnel({ segmentLists: [{ weight: 1, sids: [], way: 0 }] })],
    [
      'a list is longer than a header can carry',
      withTunnel({ segmentLists: [{ weight: 1, sids: new Array<Uint8Array>(128).fill(sid(3)), way: 0 }] }),
    ],
    ['a SID is no address', withTunnel({ segmentLists: [{ weight: 1, sids: [new Uint8Array(15)], way: 0 }] })],
    ['a prefix is of another family', prefix({ family: Family.IPV6 })],
    ['the address of a prefix is too long', prefix({ address: new Uint8Array(16) })],
    ['a prefix is longer than its address', prefix({ length: 33 })],
    ['a prefix has host bits', prefix({ length: 8 })],
    [
      'a prefix of the class is steered twice',
      withTunnel({ classPrefixes: [...good.classPrefixes, ...good.classPrefixes] }),
    ],
  ])('%s', (_, bad) => {
    expect(() => encodeDesiredPolicy(base)).not.toThrow();
    expect(() => encodeDesiredPolicy(bad)).toThrow(ProtocolError);
    expect(() => decodeDesiredPolicy(DesiredPolicy.encode(bad).finish())).toThrow(ProtocolError);
  });
});
