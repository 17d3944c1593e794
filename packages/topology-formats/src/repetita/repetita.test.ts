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
import { parseDemands } from './parse-demands.js';

const read = (text: string) => parseTopology(text, 'repetita');

const graph = `NODES 3
label x y
0_New_York -74.0 40.7
St.+Louis,MO -90.2 38.6
Z 0.0 0.0

EDGES 7
label src dest weight bw delay
e0 0 1 10 9953280 1913
e1 0 1 20 1000 5
e2 1 0 11 9953280 1914
e3 1 0 21 2000 6
e4 1 2 5 1000 7
e5 2 1 5 1000 7
e6 2 0 5 1000 7
`;

const demands = `DEMANDS 3
label src dest bw
d0 0 2 300632
d1 1 1 5
d2 2 0 14
`;

describe('a REPETITA graph', () => {
  it('becomes routers in the order of the file', () => {
    expect(read(graph).nodes).toEqual([
      { id: '0_New_York', kind: 'router', longitude: -74, latitude: 40.7 },
      { id: 'St.-Louis-MO', kind: 'router', name: 'St.+Louis,MO', longitude: -90.2, latitude: 38.6 },
      { id: 'Z', kind: 'router', longitude: 0, latitude: 0 },
    ]);
  });

  it('becomes adjacencies, parallel edges paired in turn', () => {
    const links = read(graph).links.filter(({ to, from }) => from !== 'Z' && to !== 'Z');
    const summary = links.map((link) => [link.id, link.reverseId, link.igpMetric, link.bandwidthBps, link.delayUs]);
    expect(summary).toEqual([
      ['0_New_York:St.-Louis-MO', 'St.-Louis-MO:0_New_York', 10, 9_953_280_000, 1913],
      ['St.-Louis-MO:0_New_York', '0_New_York:St.-Louis-MO', 11, 9_953_280_000, 1914],
      ['0_New_York:St.-Louis-MO:2', 'St.-Louis-MO:0_New_York:2', 20, 1_000_000, 5],
      ['St.-Louis-MO:0_New_York:2', '0_New_York:St.-Louis-MO:2', 21, 2_000_000, 6],
    ]);
  });

  it('completes an edge without counterpart by one that is down', () => {
    const back = read(graph).links.find(({ from, to }) => from === '0_New_York' && to === 'Z');
    expect(back).toMatchObject({ operationalState: 'down', reverseId: 'Z:0_New_York' });
  });

  it('has no coordinates when the file has points of a plane, or none', () => {
    const coordinates = (text: string) => read(text).nodes.map(({ latitude }) => latitude);
    expect(coordinates(graph.replace('38.6', '138.6'))).toEqual([undefined, undefined, undefined]);
    expect(coordinates(graph.replace(/-?\d+\.\d+ \d+\.\d+$/gm, '0.0 0.0'))).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ['a number that is text', graph.replace('9953280', 'fast'), 9, 11, 'bw', '"fast"'],
    ['an unknown node', graph.replace('e4 1 2', 'e4 1 3'), 13, 6, 'dest', 'from 0 to 2'],
    ['a fraction as weight', graph.replace('1 10 9', '1 1.5 9'), 9, 8, 'weight', 'whole number'],
    ['a missing column', graph.replace('e4 1 2 5 1000 7', 'e4 1 2 5 1000'), 13, 1, 'delay', 'expected 6 words'],
    ['missing edges', graph.replace('EDGES 7', 'EDGES 8'), 16, 1, 'label', 'row 8 of 8 is missing'],
    ['more edges than announced', graph.replace('EDGES 7', 'EDGES 6'), 15, 1, '', 'end of the file'],
    ['an edge to itself', graph.replace('e4 1 2', 'e4 1 1'), 13, 6, 'dest', 'to itself'],
    ['other columns', graph.replace('label x y', 'label y x'), 2, 1, 'NODES', 'label x y'],
    ['nothing', '', 1, 1, 'NODES', 'NODES <count>'],
    ['a count that is absurd', graph.replace('NODES 3', 'NODES 1e99'), 1, 7, 'NODES', 'from 0 to'],
  ])('refuses %s', (_, text, line, column, field, message) => {
    expect(refusal(() => read(text))).toMatchObject({
      line,
      column,
      field,
      message: expect.stringContaining(message) as string,
    });
  });

  it('never throws anything but a TopologyFormatError', () => {
    const document = read(graph);
    const pieces = ['\n', ' ', '1', '-', '.', 'e9', 'NODES', '\u2028', '\0', '99999999999999999999'];
    fc.assert(
      fc.property(mutated(graph, pieces), mutated(demands, pieces), (changedGraph, changedDemands) => {
        refusesOrReads(() => read(changedGraph));
        refusesOrReads(() => parseDemands(changedDemands, document));
      }),
      { numRuns: 400 },
    );
  });
});

describe('REPETITA demands', () => {
  it('name nodes by their place in the graph', () => {
    expect(parseDemands(demands, read(graph))).toEqual([
      { label: 'd0', source: '0_New_York', destination: 'Z', bandwidthBps: 300_632_000 },
      { label: 'd2', source: 'Z', destination: '0_New_York', bandwidthBps: 14_000 },
    ]);
  });

  it('refuse a node that the graph does not have', () => {
    expect(refusal(() => parseDemands(demands.replace('d2 2', 'd2 7'), read(graph)))).toMatchObject({
      line: 5,
      column: 4,
      field: 'src',
    });
  });
});

const graphs = datasetFiles('repetita', '.graph');

describe.runIf(graphs.length > 0)('a published instance', () => {
  it.each(graphs)('%s is read with its demands', (name, path) => {
    const text = readFileSync(path, 'utf8');
    const document = read(text);
    const edges = Number(/EDGES (\d+)/.exec(text)?.[1]);
    const up = document.links.filter(({ operationalState }) => operationalState === undefined);
    expect(up).toHaveLength(edges);
    const ted = tedFromDocument(applySidPlan(document, null, defaultSidPlan).document);
    expect(tedFromDocument(parseTopology(serializeTopology(ted, 'json'), 'native'))).toEqual(ted);
    const own = datasetFiles('repetita', '.demands').filter(([file]) => file.startsWith(name.slice(0, -5)));
    for (const [, demandsPath] of own) {
      expect(parseDemands(readFileSync(demandsPath, 'utf8'), document).length).toBeGreaterThan(0);
    }
  });
});
