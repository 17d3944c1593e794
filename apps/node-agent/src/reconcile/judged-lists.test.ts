import { describe, expect, it } from 'vitest';
import type { Capabilities } from '../dataplane/port.js';
import { desiredState, type PolicySketch } from '../testing/policies.js';
import { wantedEntry, type WantedEntry } from './desired-entry.js';
import { judgesOf, neededProbeRoutes } from './judged-lists.js';

const CAPABILITIES: Capabilities = {
  name: 'test',
  real: true,
  msdHEncaps: 2,
  encapMode: 'reduced',
  bindingSids: false,
  probePrefix: 'fc00:9::/64',
};

function wanted(...sketches: readonly PolicySketch[]) {
  return [...desiredState(1, sketches).policies].map(([id, { body }]) => wantedEntry(id, 1, body));
}

function judgesOfPolicy(policy: WantedEntry | undefined) {
  const content = policy?.content;
  return content?.kind === 'policy' ? judgesOf(content.tunnels, content.ways) : judgesOf([], new Map());
}

const POLICY: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: { lists: [[1, 'fc00:a::1', 'fc00:2::d4']], standby: [[1, 'fc00:c::1', 'fc00:2::d4']], prefixes: [] },
  ipv6: {
    lists: [[1, 'fc00:a::1', 'fc00:2::d6']],
    standby: [
      [1, 'fc00:b::1', 'fc00:2::d6'],
      [1, 'fc00:a::1', 'fc00:2::d6'],
    ],
    prefixes: [],
  },
};

describe('the lists that are probed', () => {
  it('are those for IPv6, active and standby, each once', () => {
    const routes = neededProbeRoutes(wanted(POLICY, { ...POLICY, id: 'h1:20:h2' }), CAPABILITIES);
    expect(routes.map(({ sids }) => sids.join()).sort()).toEqual(['fc00:a::1,fc00:2::d6', 'fc00:b::1,fc00:2::d6']);
  });

  it('are none without a prefix, and none that the data plane cannot push', () => {
    expect(neededProbeRoutes(wanted(POLICY), { ...CAPABILITIES, probePrefix: null })).toEqual([]);
    expect(neededProbeRoutes(wanted(POLICY), { ...CAPABILITIES, encapMode: 'full', msdHEncaps: 1 })).toEqual([]);
  });

  it('speak for the lists for IPv4 that go the same way', () => {
    const [policy] = wanted(POLICY);
    const judges = judgesOfPolicy(policy);
    expect(judges('ipv4', ['fc00:a::1', 'fc00:2::d4'])).toEqual(['fc00:a::1', 'fc00:2::d6']);
    expect(judges('ipv4', ['fc00:b::1', 'fc00:2::d4'])).toEqual(['fc00:b::1', 'fc00:2::d6']);
    expect(judges('ipv4', ['fc00:c::1', 'fc00:2::d4'])).toBeNull();
    expect(judges('ipv6', ['fc00:b::1', 'fc00:2::d6'])).toEqual(['fc00:b::1', 'fc00:2::d6']);
  });

  it('speak for those that the controller numbers alike, where containers hide which SIDs are the same', () => {
    // Two ways, over a and over b, each in one container with the service SID.
    const [policy] = wanted({
      id: 'h1:10:h2',
      ipv4: {
        lists: [
          [1, 'fc00:0:a:2:d4::'],
          [1, 'fc00:0:b:2:d4::'],
        ],
        ways: [1, 2],
        prefixes: [],
      },
      ipv6: {
        lists: [
          [1, 'fc00:0:b:2:d6::'],
          [1, 'fc00:0:a:2:d6::'],
        ],
        ways: [2, 1],
        prefixes: [],
      },
    });
    const judges = judgesOfPolicy(policy);
    expect(judges('ipv4', ['fc00:0:a:2:d4::'])).toEqual(['fc00:0:a:2:d6::']);
    expect(judges('ipv4', ['fc00:0:b:2:d4::'])).toEqual(['fc00:0:b:2:d6::']);
  });
});
