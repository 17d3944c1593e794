import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tedFromDocument } from '../defaults.js';
import { serializeTopology } from '../native/serialize-topology.js';
import { parseTopology } from '../parse-topology.js';
import { applySidPlan } from '../sid-plan/apply-sid-plan.js';
import { defaultSidPlan } from '../sid-plan/sid-plan.js';
import { datasetFiles } from '../testing/datasets.js';
import { mutated } from '../testing/mutated-text.js';
import { refusal, refusesOrReads } from '../testing/refusal.js';

const read = (text: string) => parseTopology(text, 'graphml');

const keys = `<key id="d0" for="node" attr.name="label" attr.type="string"/>
<key id="d1" for="node" attr.name="Latitude" attr.type="double"/>
<key id="d2" for="node" attr.name="Longitude" attr.type="double"/>
<key id="d3" for="node" attr.name="Internal" attr.type="int"/>
<key id="d4" for="node" attr.name="hyperedge" attr.type="int"/>
<key id="d5" for="edge" attr.name="LinkSpeedRaw" attr.type="double"/>`;

const file = (body: string): string =>
  `<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n${keys}\n<graph edgedefault="undirected">\n${body}\n</graph></graphml>`;

const node = (id: string, label: string, data: Readonly<Record<string, string>> = {}): string =>
  `<node id="${id}"><data key="d0">${label}</data>${Object.entries(data)
    .map(([key, value]) => `<data key="${key}">${value}</data>`)
    .join('')}</node>`;

const edge = (source: string, target: string, speed?: string): string =>
  `<edge source="${source}" target="${target}">${speed === undefined ? '' : `<data key="d5">${speed}</data>`}</edge>`;

const place = (latitude: number, longitude: number) => ({ d1: String(latitude), d2: String(longitude) });

const twoCities = file(
  [
    edge('0', '1', '10000000000.0'),
    node('0', 'Frankfurt am Main', place(50.11667, 8.68333)),
    node('1', 'São Paulo', place(-23.5475, -46.63611)),
  ].join('\n'),
);

describe('Topology Zoo GraphML', () => {
  it('becomes routers and links with speed and estimated delay, wherever nodes stand', () => {
    const { nodes, links } = read(twoCities);
    expect(nodes).toEqual([
      { id: 'Frankfurt-am-Main', kind: 'router', name: 'Frankfurt am Main', latitude: 50.11667, longitude: 8.68333 },
      { id: 'Sao-Paulo', kind: 'router', name: 'São Paulo', latitude: -23.5475, longitude: -46.63611 },
    ]);
    expect(links.map(({ id, reverseId, bandwidthBps }) => [id, reverseId, bandwidthBps])).toEqual([
      ['Frankfurt-am-Main:Sao-Paulo', 'Sao-Paulo:Frankfurt-am-Main', 10_000_000_000],
      ['Sao-Paulo:Frankfurt-am-Main', 'Frankfurt-am-Main:Sao-Paulo', 10_000_000_000],
    ]);
    // 9,810 km at 200 m/µs
    expect(links[0]?.delayUs).toBeGreaterThan(48_500);
    expect(links[0]?.delayUs).toBeLessThan(49_600);
  });

  it('says nothing of a speed or delay it does not know', () => {
    const { links } = read(file([node('0', 'a', place(1, 1)), node('1', 'b'), edge('0', '1')].join('')));
    expect(links[0]).toEqual({ id: 'a:b', from: 'a', to: 'b', reverseId: 'b:a' });
  });

  it('keeps parallel links, and a delay of at least 1 µs', () => {
    const { links } = read(
      file([node('0', 'a', place(1, 1)), node('1', 'b', place(1, 1)), edge('0', '1'), edge('1', '0')].join('')),
    );
    expect(links.map(({ id, delayUs }) => [id, delayUs])).toEqual([
      ['a:b', 1],
      ['b:a', 1],
      ['b:a:2', 1],
      ['a:b:2', 1],
    ]);
  });

  it('numbers equal labels by their GraphML ids, and names the unlabelled after them', () => {
    const nodes = [
      node('7', 'London'),
      node('3', 'London'),
      node('4', 'None'),
      node('5', '東京'),
      node('6', 'London-3'),
    ];
    expect(read(file(nodes.join(''))).nodes.map(({ id, name }) => [id, name])).toEqual([
      ['London-7', 'London'],
      ['London-3.2', 'London'],
      ['node-4', undefined],
      ['node-5', '東京'],
      ['London-3', 'London-3'],
    ]);
  });

  it('never makes an outside node transit, and leaves out links between two of them', () => {
    const outside = { d3: '0' };
    const { nodes, links } = read(
      file([node('0', 'a'), node('1', 'x', outside), node('2', 'y', outside), edge('0', '1'), edge('1', '2')].join('')),
    );
    expect(nodes.map(({ id, kind }) => [id, kind])).toEqual([
      ['a', 'router'],
      ['x', 'host'],
      ['y', 'host'],
    ]);
    expect(links.map(({ id }) => id)).toEqual(['a:x', 'x:a']);
  });

  it('joins the neighbours of a shared medium directly, at the slower speed', () => {
    const { nodes, links } = read(
      file(
        [
          node('0', 'a'),
          node('1', 'b'),
          node('2', 'c'),
          node('3', 'None', { d4: '1' }),
          edge('0', '3', '5'),
          edge('1', '3', '7'),
          edge('3', '2'),
        ].join(''),
      ),
    );
    expect(nodes.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(links.filter(({ from, to }) => from < to).map(({ id, bandwidthBps }) => [id, bandwidthBps])).toEqual([
      ['a:b', 5],
      ['a:c', undefined],
      ['b:c', undefined],
    ]);
  });

  it.each([
    ['a speed that is text', twoCities.replace('10000000000.0', 'fast'), 9, 1, 'LinkSpeedRaw', '"fast"'],
    ['a latitude beyond the pole', twoCities.replace('50.11667', '150'), 10, 1, 'Latitude', 'from -90 to 90'],
    ['an unknown end', twoCities.replace('target="1"', 'target="9"'), 9, 1, 'edge', 'no node with the id "9"'],
    ['an id given twice', twoCities.replace('<node id="1"', '<node id="0"'), 9, 1, 'edge', 'no node with the id "1"'],
    ['an unknown key', twoCities.replace('<data key="d5"', '<data key="d9"'), 9, 29, 'd9', 'no key "d9"'],
    ['a tag that is not closed', twoCities.replace('</edge>', '</edgy>'), 9, null, '', 'unexpected close tag'],
    [
      'a document type',
      twoCities.replace('<graphml', '<!DOCTYPE x [<!ENTITY a "b">]><graphml'),
      1,
      null,
      'DOCTYPE',
      'document type',
    ],
    ['an unknown entity', twoCities.replace('Frankfurt', '&xxe;'), 10, null, '', 'entity'],
    ['directed edges', twoCities.replace('"undirected"', '"directed"'), 8, 1, 'edgedefault', 'undirected'],
    ['a second graph', twoCities.replace('</graphml>', '<graph/></graphml>'), 12, 9, 'graph', 'one network'],
    ['no graph', '<graphml/>', 1, 1, 'graph', 'no graph'],
    ['another document', '<html/>', 1, 1, 'html', 'graphml'],
  ])('refuses %s', (_, text, line, column, field, message) => {
    const error = refusal(() => read(text));
    expect(error).toMatchObject({ line, field, message: expect.stringContaining(message) as string });
    if (column !== null) expect(error.column).toBe(column);
  });

  it('finds the same place whatever the line ends', () => {
    const text = twoCities.replace('10000000000.0', 'fast').replaceAll('\n', '\r\n');
    expect(refusal(() => read(text))).toMatchObject({ line: 9, column: 1 });
  });

  it('never throws anything but a TopologyFormatError', () => {
    const pieces = [
      '<',
      '>',
      '/>',
      '"',
      '&amp;',
      '&#0;',
      '</node>',
      '<node id="0"/>',
      '<edge>',
      '<!--',
      ']]>',
      '<?x',
      '0',
    ];
    fc.assert(
      fc.property(fc.oneof(mutated(twoCities, pieces), fc.string({ unit: 'binary' })), (text) => {
        refusesOrReads(() => read(text));
      }),
      { numRuns: 400 },
    );
  });
});

describe('a published network', () => {
  it('Abilene is read whole', () => {
    const path = new URL('../../../../examples/abilene.graphml', import.meta.url);
    const { nodes, links } = read(readFileSync(path, 'utf8'));
    expect([nodes.length, links.length]).toEqual([11, 28]);
    const coast = links.find(({ id }) => id === 'New-York:Washington-DC');
    expect(coast?.delayUs).toBeGreaterThan(1_500);
    expect(coast?.delayUs).toBeLessThan(1_700);
  });

  const networks = datasetFiles('topology-zoo', '.graphml');
  it.skipIf(networks.length === 0).each(networks)('%s is read', (_, path) => {
    const text = readFileSync(path, 'utf8');
    const { nodes, links } = read(text);
    const inFile = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
    const medium = /name="hyperedge" attr.type="int" for="node" id="(\w+)"/.exec(text)?.[1];
    const media = medium === undefined ? 0 : inFile(new RegExp(`<data key="${medium}">1<`, 'g'));
    expect(nodes).toHaveLength(inFile(/<node /g) - media);
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length);
    if (media === 0) expect(links).toHaveLength(2 * inFile(/<edge /g));
    // Each network can be named in the native format's terms and be planned for: no id or value is out of range.
    const planned = applySidPlan({ nodes, links, sidPlan: null }, null, defaultSidPlan).document;
    const ted = tedFromDocument(planned);
    expect(tedFromDocument(parseTopology(serializeTopology(ted, 'json'), 'native'))).toEqual(ted);
  });
});
