import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tedFromDocument } from '../defaults.js';
import { parseTopology } from '../parse-topology.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { mutated } from '../testing/mutated-text.js';
import { refusal, refusesOrReads } from '../testing/refusal.js';
import { serializeTopology } from './serialize-topology.js';

const read = (text: string) => parseTopology(text, 'native');

const small = `waymark: 1
nodes:
  - id: A
    locators: [{ prefix: 'fcff:0:a::/48' }]
    sids:
      - { sid: 'fcff:0:a:1::', behavior: End }
      - { sid: 'fcff:0:a:2::', behavior: End.X, linkId: 'A:B' }
  - id: B
  - id: h
    kind: host
    podPrefixes: [10.0.0.0/8]
    sids: [{ sid: fcdd::4, behavior: End.DT4 }]
links:
  - between: [A, B]
    igpMetric: 5
  - { between: [B, h] }
`;

/** `small` with one piece replaced. */
const changed = (from: string, to: string): string => {
  expect(small).toContain(from);
  return small.replace(from, to);
};

describe('a native file', () => {
  it('says only what it says', () => {
    const document = read(small);
    expect(document.nodes[1]).toEqual({ id: 'B', kind: 'router' });
    expect(document.links[0]).toEqual({ id: 'A:B', from: 'A', to: 'B', reverseId: 'B:A', igpMetric: 5 });
    expect(document.sidPlan).toBeNull();
  });

  it('implies the structure of locators and SIDs', () => {
    const [a, , host] = read(small).nodes;
    const structure = { blockBits: 32, nodeBits: 16, functionBits: 16, argumentBits: 0 };
    expect(a?.locators?.[0]?.structure).toEqual(structure);
    expect(a?.sids?.[0]?.structure).toEqual(structure);
    expect(host?.sids?.[0]?.structure).toBeNull();
    expect(read(changed("'fcff:0:a:1::'", "'fcff:0:a:1::1'")).nodes[0]?.sids?.[0]?.structure).toBeNull();
  });

  it('is the same as JSON', () => {
    const json = `{ "waymark": 1, "nodes": [{ "id": "A", "site": null }, { "id": "B" }],
      "links": [{ "from": "A", "to": "B" }, { "from": "B", "to": "A" }] }`;
    const yaml = 'waymark: 1\nnodes: [{ id: A }, { id: B }]\nlinks: [{ between: [A, B] }]\n';
    expect(read(json)).toEqual(read(yaml));
    expect(read(`\ufeff${json}`)).toEqual(read(yaml));
  });

  it('spells addresses as RFC 5952 does', () => {
    const document = read(changed('fcdd::4', 'FCDD:0:0:0::0004'));
    expect(document.nodes[2]?.sids?.[0]?.sid).toBe('fcdd::4');
  });

  it('numbers parallel links and leaves chosen ids alone', () => {
    const links = `links:
  - { between: [A, B] }
  - { between: [B, A], forward: { id: 'A:B:2' } }
  - { between: [B, A] }
  - { from: A, to: h, id: up, reverse: down }
  - { from: h, to: A, id: down, reverse: up }
`;
    const document = read(small.slice(0, small.indexOf('links:')) + links);
    expect(document.links.map(({ id, from, reverseId }) => [id, from, reverseId])).toEqual(
      [
        ['A:B', 'A', 'B:A'],
        ['B:A', 'B', 'A:B'],
        ['A:B:2', 'B', 'A:B:3'],
        ['A:B:3', 'A', 'A:B:2'],
        ['B:A:4', 'B', 'A:B:4'],
        ['A:B:4', 'A', 'B:A:4'],
        ['up', 'A', 'down'],
        ['down', 'h', 'up'],
      ].map((row) => row),
    );
  });
});

describe('a mistake in a native file', () => {
  it.each([
    [
      'an unknown field',
      changed('igpMetric: 5', 'igpmetric: 5'),
      15,
      5,
      '/links/0/igpmetric',
      'did you mean "igpMetric"?',
    ],
    ['a number in quotes', changed('igpMetric: 5', 'igpMetric: "5"'), 15, 16, '/links/0/igpMetric', 'without quotes'],
    ['text without quotes', changed('id: B', 'id: 12'), 8, 9, '/nodes/1/id', 'put it in quotes'],
    [
      'a number out of range',
      changed('igpMetric: 5', 'igpMetric: 16777216'),
      15,
      16,
      '/links/0/igpMetric',
      'from 0 to 16777215',
    ],
    ['a fraction', changed('igpMetric: 5', 'igpMetric: 1.5'), 15, 16, '/links/0/igpMetric', 'a whole number'],
    ['host bits', changed('10.0.0.0/8', '10.1.0.0/8'), 11, 19, '/nodes/2/podPrefixes/0', 'did you mean 10.0.0.0/8?'],
    ['a missing version', changed('waymark: 1\n', ''), 1, 1, '/waymark', 'is missing'],
    ['another version', changed('waymark: 1', 'waymark: 2'), 1, 10, '/waymark', 'format 1'],
    ['a node given twice', changed('id: B', 'id: A'), 8, 5, '/nodes/1', 'more than one node with the id A'],
    ['an unknown end', changed('[B, h]', '[B, H]'), 16, 5, '/links/1', 'there is no node H'],
    ['one end', changed('[B, h]', '[B]'), 16, 16, '/links/1/between', 'two nodes'],
    ['a loop', changed('{ between: [B, h] }', '{ from: B, to: B, id: x, reverse: x }'), 16, 5, '/links/1', 'to itself'],
    [
      'an interface address of two nodes',
      changed(
        '{ between: [B, h] }',
        "{ between: [B, h], forward: { interfaceAddresses: ['fd00::9'] }, backward: { interfaceAddresses: ['fd00::9'] } }",
      ),
      16,
      5,
      '/links/1',
      'interface address fd00::9 of h is already given to B',
    ],
    ['a missing reverse', changed('{ between: [B, h] }', '{ from: B, to: h }'), 16, 5, '/links/1', 'reverse'],
    ['End.X over another link', changed("linkId: 'A:B'", "linkId: 'B:A'"), 7, 9, '/nodes/0/sids/1', 'leaves B, not A'],
    ['End.X over no link', changed(", linkId: 'A:B'", ''), 7, 9, '/nodes/0/sids/1', 'needs the linkId'],
    ['a SID that nobody routes', changed('fcff:0:a:1::', 'fcff:0:b:1::'), 6, 9, '/nodes/0/sids/0', 'no locator'],
    ['a SID of two nodes', changed('fcdd::4', "'fcff:0:a:1::'"), 12, 12, '/nodes/2/sids/0', 'already given to A'],
    ['transit through a host', changed('End.DT4', 'End'), 12, 12, '/nodes/2/sids/0', 'never transit'],
    ['a multicast SID', changed('fcdd::4', 'ff02::1'), 12, 12, '/nodes/2/sids/0', 'multicast'],
    ['a host behind a host', changed('id: B', 'id: B\n    kind: host'), 17, 5, '/links/1', 'two hosts'],
    ['half a place', changed('id: B', 'id: B\n    latitude: 4'), 8, 5, '/nodes/1', 'go together'],
    [
      'delays out of order',
      changed('igpMetric: 5', 'delayMinUs: 2\n    delayUs: 1'),
      14,
      5,
      '/links/0',
      'delayMinUs <= delayUs',
    ],
    [
      'a structure that is no locator',
      changed(
        "'fcff:0:a::/48' }",
        "'fcff:0:a::/48', structure: { blockBits: 32, nodeBits: 8, functionBits: 8, argumentBits: 0 } }",
      ),
      4,
      16,
      '/nodes/0/locators/0',
      'are 40 bits',
    ],
    [
      'a plan that is too long',
      `${small}sidPlan: { block: 'fc00::/64', nodeBits: 32, functionBits: 32, flavors: [PSP, PSP] }\n`,
      17,
      73,
      '/sidPlan/flavors',
      'twice',
    ],
    [
      'a plan that is too wide',
      `${small}sidPlan: { block: 'fc00::/96', nodeBits: 32, functionBits: 32 }\n`,
      17,
      10,
      '/sidPlan',
      'more than 128 bits',
    ],
  ])('%s is found where it stands', (_, text, line, column, field, message) => {
    expect(refusal(() => read(text))).toMatchObject({
      line,
      column,
      field,
      message: expect.stringContaining(message) as string,
    });
  });

  it('does not hide the others: all are reported in the order of the file', () => {
    const text = changed('igpMetric: 5', 'igpmetric: 5')
      .replace('id: B', 'id: B\n    mtu: 9')
      .replace('10.0.0.0/8', 'x');
    expect(refusal(() => read(text)).problems.map(({ field }) => field)).toEqual([
      '/nodes/1/mtu',
      '/nodes/2/podPrefixes/0',
      '/links/0/igpmetric',
    ]);
  });

  it('is reported at most 50 times', () => {
    const text = `waymark: 1\nnodes: [${Array.from({ length: 200 }, () => '{}').join(', ')}]\n`;
    expect(refusal(() => read(text)).problems).toHaveLength(50);
  });

  it.each(['', '[]', 'null', '42', 'text', '{', '---', '\u0000', '{}'])('%j is no topology', (text) => {
    refusal(() => read(text));
  });

  it('never overlaps locators of two routers, unless both say anycast', () => {
    const two = (a: string, b: string): string =>
      `waymark: 1\nnodes:\n  - { id: A, locators: [{ ${a} }] }\n  - { id: B, locators: [{ ${b} }] }\n`;
    expect(refusal(() => read(two("prefix: 'fc00:1::/32'", "prefix: 'fc00:1:2::/48'")))).toMatchObject({
      line: 4,
      field: '/nodes/1/locators/0',
    });
    refusal(() => read(two("prefix: 'fc00:1::/48', anycast: true", "prefix: 'fc00:1::/48'")));
    read(two("prefix: 'fc00:1::/48', anycast: true", "prefix: 'fc00:1::/48', anycast: true"));
  });

  it('is never anything but a TopologyFormatError', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ': ',
      '- ',
      '\n',
      '\n  ',
      '&a ',
      '*a',
      '!!x ',
      '"',
      "'",
      '~',
      '1e9',
      '-1',
      '.nan',
      'id',
      '::',
      '/',
      '|',
      '>',
      '?',
      '#',
    ];
    fc.assert(
      fc.property(
        fc.oneof(mutated(small, pieces), mutated(JSON.stringify(readPlain()), pieces), fc.string({ unit: 'binary' })),
        (text) => {
          refusesOrReads(() => read(text));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('leaves what was accepted consistent: it can be written and read again', () => {
    fc.assert(
      fc.property(
        arbitraryTed.chain((ted) => mutated(serializeTopology(ted, 'json'), ['1', '"', ',', '0', 'null', '[]'])),
        (text) => {
          refusesOrReads(() => {
            const ted = tedFromDocument(read(text));
            expect(tedFromDocument(read(serializeTopology(ted, 'json')))).toEqual(ted);
          });
        },
      ),
      { numRuns: 100 },
    );
  });
});

/** A JSON file of every field. */
function readPlain(): unknown {
  const [ted] = fc.sample(arbitraryTed, { numRuns: 1, seed: 7 });
  return JSON.parse(serializeTopology(ted ?? { revision: 0, nodes: [], links: [] }, 'json'));
}
