import { readSrv6Config, writeSrv6Config, type Srv6NodeConfig } from '@waymark/kubernetes-resources';
import type { AddressFamily, Sid } from '@waymark/topology';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SrPolicyIntent } from '../../model/sr-policy.js';
import { buildTed, diamond } from '../../testing/sketched-network.js';
import { policiesOfConfig, surroundingsOf } from './policies-of-config.js';

const serviceSid = (sid: string, behavior: Sid['behavior']): Sid => ({
  ...{ sid, behavior, flavors: [], algorithm: 0, protected: false, linkId: null, structure: null },
  origin: 'discovered',
});

/** As the paper's testbed has them. */
const london = {
  id: 'h-london',
  address: 'fd11::1000',
  podPrefixes: ['10.2.0.0/24', 'fd10:2::/64'],
  sids: [serviceSid('fcdd::aa:34b0:37b8:be5b:8c0', 'End.DT6'), serviceSid('fcdd::aa:34b0:37b8:be5b:8c1', 'End.DT4')],
};
const testbed = buildTed(['r3', 'r5', 'h-paris', london], []);
const hosts = [{ id: 'h-paris', name: 'paris' }];

interface Line {
  readonly egress?: string;
  readonly family: AddressFamily;
  readonly sids: readonly string[];
}

const configOf = (node: string, ...lines: readonly Line[]): Srv6NodeConfig => ({
  node,
  localSids: {},
  policies: lines.map(({ egress = london.address, ...line }, i) => ({ ...line, egress, bsid: `cafe::${i + 1}` })),
});
const asked = (config: Srv6NodeConfig, ted = testbed) => policiesOfConfig([config], surroundingsOf(ted, hosts, 1001));
const six = (...via: readonly string[]): Line => ({ family: 'ipv6', sids: [...via, 'fcdd::aa:34b0:37b8:be5b:8c0'] });
const four = (...via: readonly string[]): Line => ({ family: 'ipv4', sids: [...via, 'fcdd::aa:34b0:37b8:be5b:8c1'] });
const intent = (color: number, sids: readonly string[], steeredPrefixes?: readonly string[]): SrPolicyIntent => ({
  ...{ headend: 'h-paris', color, endpoint: 'h-london', fallback: 'shortest-path' },
  candidatePaths: [
    { discriminator: 1, preference: 100, path: { kind: 'explicit', segmentLists: [{ weight: 1, sids }] } },
  ],
  ...(steeredPrefixes === undefined ? {} : { steeredPrefixes }),
});

describe('policies of a ConfigMap', () => {
  it('are one for each family where these go different ways', () => {
    expect(asked(configOf('paris', six('fcff:3::1'), four('fcff:3::1', 'fcff:5::1')))).toEqual({
      intents: [
        intent(1001, ['fcff:3::1'], ['fd10:2::/64']),
        intent(1002, ['fcff:3::1', 'fcff:5::1'], ['10.2.0.0/24']),
      ],
      refusals: [],
    });
  });

  it('are one for both where these go the same way, with default steering', () => {
    expect(asked(configOf('paris', four('fcff:3::1', 'fcff:5::1'), six('fcff:3::1', 'fcff:5::1'))).intents).toEqual([
      intent(1001, ['fcff:3::1', 'fcff:5::1']),
    ]);
    expect(asked(configOf('paris', four(), six())).intents).toEqual([intent(1001, [])]);
  });

  it('steer one family where that is all there is', () => {
    expect(asked(configOf('paris', six())).intents).toEqual([intent(1001, [], ['fd10:2::/64'])]);
    expect(asked(configOf('paris', four())).intents).toEqual([intent(1002, [], ['10.2.0.0/24'])]);
  });

  it.each([
    ['a node that is no host', configOf('rome', six()), 'node rome: the cluster has no host "rome"'],
    [
      'an unknown egress',
      configOf('paris', { ...six(), egress: 'fd11::2' }),
      'node paris, policy to fd11::2: no node of the topology has this address',
    ],
    [
      'the service SID of the other family',
      configOf('paris', { ...six('fcff:3::1'), family: 'ipv4' }),
      'the ipv4 list ends in fcdd::aa:34b0:37b8:be5b:8c0, which is no service SID of h-london for that traffic; ' +
        'it must end in fcdd::aa:34b0:37b8:be5b:8c1',
    ],
    ['one good family of a tunnel', configOf('paris', six(), { ...four(), sids: ['fcff:3::1'] }), 'the ipv4 list ends'],
  ])('refuse %s', (_, config, message) => {
    const { intents, refusals } = asked(config);
    expect(intents).toEqual([]);
    expect(refusals).toEqual([expect.stringContaining(message)]);
  });

  it('refuse an address that two nodes have, and the node itself as egress', () => {
    const twice = buildTed(['h-paris', london, { ...london, id: 'h-twin' }], []);
    expect(asked(configOf('paris', six()), twice).refusals[0]).toContain('h-london and h-twin both have this address');
    const self = buildTed([{ ...london, id: 'h-paris' }], []);
    expect(asked(configOf('paris', six()), self).refusals[0]).toContain('headend and egress');
  });

  it('are the lists that were written, whatever these are', () => {
    const ted = diamond();
    const routers = ted.nodes.flatMap(({ kind, sids }) => (kind === 'router' ? sids.map(({ sid }) => sid) : []));
    const transport = fc.array(fc.constantFrom(...routers), { maxLength: 4 });
    const tunnel = fc.record({ ipv4: fc.option(transport), ipv6: fc.option(transport) });
    const endOf = { ipv4: 'd4', ipv6: 'd6' };
    fc.assert(
      fc.property(tunnel, tunnel, (toSecond, toThird) => {
        const tunnels = [
          { endpoint: 'h2', egress: 'fd00:ffff::2', base: 'fd00:0:6', by: toSecond },
          { endpoint: 'h3', egress: 'fd00:ffff::3', base: 'fd00:0:7', by: toThird },
        ];
        const wanted = tunnels.flatMap(({ endpoint, egress, base, by }) =>
          (['ipv4', 'ipv6'] as const).flatMap((family) => {
            const via = by[family];
            return via === null
              ? []
              : [{ endpoint, family, via, egress, sids: [...via, `${base}:${endOf[family]}::`] }];
          }),
        );
        const read = readSrv6Config(
          writeSrv6Config(configOf('h1', ...wanted.map(({ egress, family, sids }) => ({ egress, family, sids })))),
        );
        const { intents, refusals } = policiesOfConfig(read, surroundingsOf(ted, [{ id: 'h1', name: 'h1' }], 7));
        expect(refusals).toEqual([]);
        const found = intents.flatMap(({ endpoint, steeredPrefixes, candidatePaths: [candidate] }) => {
          const via = candidate?.path.kind === 'explicit' ? candidate.path.segmentLists[0]?.sids : undefined;
          const families = (['ipv4', 'ipv6'] as const).filter(
            (family) => steeredPrefixes?.some((prefix) => prefix.includes('.') === (family === 'ipv4')) ?? true,
          );
          return families.map((family) => ({ endpoint, family, via }));
        });
        const order = ({ endpoint, family }: { endpoint: string; family: string }) => endpoint + family;
        const sorted = <One extends { endpoint: string; family: string }>(all: readonly One[]) =>
          [...all].sort((a, b) => (order(a) < order(b) ? -1 : 1));
        expect(sorted(found)).toEqual(sorted(wanted.map(({ endpoint, family, via }) => ({ endpoint, family, via }))));
        const ids = intents.map(({ color, endpoint }) => `${color} ${endpoint}`);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 1_000 },
    );
  });
});
