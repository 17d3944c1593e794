import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isSrv6Config,
  readSrv6Config,
  Srv6ConfigError,
  type ConfigMap,
  writeSrv6Config,
  writeSrv6ConfigForAll,
  type Srv6NodeConfig,
} from './srv6-config-map.js';

/** Written by hand, as the paper's testbed has them. */
const paris = `
localsids:
  DT4: "fcdd::11aa:c11:b42f:f17e:a683"
  DT6: "fcdd::11aa:c11:b42f:f17e:a684"
node: paris
policies:
- bsid: "cafe::1c3"
  node: "fd11::1000"
  segment_list: ["fcff:3::1", "fcdd::aa:34b0:37b8:be5b:8c0"]
  traffic: IPv6
- bsid: "cafe::1c4"
  node: "fd11::1000"
  segment_list: ["fcff:3::1", "fcff:5:0::1", "fcdd::aa:34b0:37b8:be5b:8c1"]
  traffic: IPv4
`;

const read = (srv6: string) => readSrv6Config({ metadata: { name: 'srv6-config-paris' }, data: { srv6 } });

describe('the ConfigMap of a node', () => {
  it('is read with both families, addresses in their one spelling', () => {
    expect(read(paris)).toEqual([
      {
        node: 'paris',
        localSids: { ipv4: 'fcdd::11aa:c11:b42f:f17e:a683', ipv6: 'fcdd::11aa:c11:b42f:f17e:a684' },
        policies: [
          {
            bsid: 'cafe::1c3',
            egress: 'fd11::1000',
            family: 'ipv6',
            sids: ['fcff:3::1', 'fcdd::aa:34b0:37b8:be5b:8c0'],
          },
          {
            bsid: 'cafe::1c4',
            egress: 'fd11::1000',
            family: 'ipv4',
            sids: ['fcff:3::1', 'fcff:5::1', 'fcdd::aa:34b0:37b8:be5b:8c1'],
          },
        ],
      },
    ]);
  });

  it('is known by its name', () => {
    expect(
      ['srv6-config', 'srv6-config-paris', 'srv6-config-', 'srv6-configs', 'calico-vpp-config'].map(isSrv6Config),
    ).toEqual([true, true, false, false, false]);
  });

  it.each([
    ['policies: [', 'data.srv6', 'is not YAML'],
    [
      `a: &a [b, b]\nb: &b [*a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [${'*c, '.repeat(99)}*c]`,
      'data.srv6',
      'is not YAML',
    ],
    ['[]', 'data.srv6', 'must be a map'],
    ['node: london', 'data.srv6.node', 'must be paris'],
    ['{node: paris, policy: []}', 'data.srv6.policy', 'is unknown'],
    ['{node: paris, policies: 3}', 'data.srv6.policies', 'must be a list'],
    ['{node: paris, localsids: {DT4: 10.0.0.1}}', 'data.srv6.localsids.DT4', 'must be an IPv6 address'],
    ['{node: paris, policies: [{bsid: "cafe::1/64"}]}', 'data.srv6.policies[0].segment_list', 'must be a list'],
    [paris.replace('IPv4', 'ipv4'), 'data.srv6.policies[1].traffic', 'must be IPv4 or IPv6'],
    [paris.replace('IPv4', 'IPv6'), 'data.srv6.policies[1].node', 'an earlier policy'],
    [
      paris.replace('cafe::1c4', 'CAFE::01c3'),
      'data.srv6.policies[1].bsid',
      'cafe::1c3 is the BSID of an earlier policy',
    ],
    [
      paris.replace('"fcff:3::1", "fcff:5:0::1", "fcdd::aa:34b0:37b8:be5b:8c1"', ''),
      'data.srv6.policies[1].segment_list',
      'must name at least',
    ],
    [paris.replace('fd11::1000', 'fd11::1000%eth0'), 'data.srv6.policies[0].node', 'must be an IPv6 address'],
    ['a: &a [*a]', 'data.srv6.a', 'is unknown'],
    ['node: &a [*a]', 'data.srv6.node', 'must be paris'],
    [
      '{node: paris, policies: [{bsid: "::1", node: "::2", segment_list: ["::3"], traffic: &a [*a]}]}',
      'data.srv6.policies[0].traffic',
      'must be IPv4 or IPv6, not a list',
    ],
    [
      '{node: paris, policies: [{bsid: &b {b: *b}, node: "::2", segment_list: ["::3"], traffic: IPv4}]}',
      'data.srv6.policies[0].bsid',
      'must be an IPv6 address, not a map',
    ],
    ['- '.repeat(20_000), 'data.srv6', 'is not YAML: Maximum call stack'],
    [`${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'data.srv6', 'is not YAML: Maximum call stack'],
    [`localsids: {DT4: "${'x'.repeat(900_000)}"}\nnode: paris`, 'data.srv6.localsids.DT4', 'must be an IPv6 address'],
  ])('%# is refused whole, with the field', (text, field, message) => {
    expect(() => read(text)).toThrow(Srv6ConfigError);
    expect(() => read(text)).toThrow(`${field}: ${message}`);
  });

  it.each([[7], [null], [['node: paris']], [{ node: 'paris' }]])('has to be text, not %j', (srv6) => {
    const configMap = { metadata: { name: 'srv6-config-paris' }, data: { srv6 } } as unknown as ConfigMap;
    expect(() => readSrv6Config(configMap)).toThrow('data.srv6: must be text');
  });

  it('is told in a sentence, however long it is', () => {
    for (const text of [`${'y'.repeat(900_000)}: 1`, `localsids: {DT4: "${'x'.repeat(900_000)}"}\nnode: paris`]) {
      expect(() => read(text)).toThrow(
        expect.objectContaining({ message: expect.stringMatching(/^.{1,300}$/) as string }) as Error,
      );
    }
  });

  it('needs its key', () => {
    expect(() => readSrv6Config({ metadata: { name: 'srv6-config-paris' } })).toThrow('data.srv6: is missing');
  });
});

const address = fc.integer({ min: 1, max: 0xffff }).map((suffix) => `fcff::${suffix.toString(16)}`);
const config: fc.Arbitrary<Srv6NodeConfig> = fc.record({
  node: fc.constantFrom('paris', 'rome', 'no', '1e3', 'null.example'),
  localSids: fc.record({ ipv4: address, ipv6: address }, { requiredKeys: [] }),
  policies: fc.uniqueArray(
    fc.record({
      bsid: address,
      egress: address,
      family: fc.constantFrom('ipv4', 'ipv6'),
      sids: fc.array(address, { minLength: 1, maxLength: 16 }),
    }),
    {
      comparator: (one, other) =>
        one.bsid === other.bsid || (one.egress === other.egress && one.family === other.family),
    },
  ),
});

describe('what is written', () => {
  it('is read back the same, per node', () => {
    fc.assert(
      fc.property(config, (one) => {
        expect(readSrv6Config(writeSrv6Config(one))).toEqual([one]);
      }),
    );
  });

  it('is read back the same, all nodes in one', () => {
    const configs = fc.uniqueArray(config, { selector: ({ node }) => node });
    fc.assert(
      fc.property(configs, (all) => {
        expect(readSrv6Config(writeSrv6ConfigForAll(all))).toEqual(all);
      }),
    );
  });
});
