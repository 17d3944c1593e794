import { readdirSync, readFileSync } from 'node:fs';
import {
  computeDisjointPaths,
  computePaths,
  freezeSnapshot,
  type DisjointRequest,
  type PathRequest,
} from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import { tedFromDocument } from './defaults.js';
import { parseTopology } from './parse-topology.js';
import { applySidPlan } from './sid-plan/apply-sid-plan.js';
import { defaultSidPlan } from './sid-plan/sid-plan.js';

const examples = new URL('../../../examples/', import.meta.url);
const readExample = (name: string): string => readFileSync(new URL(name, examples), 'utf8');

const demo = parseTopology(readExample('geant-datacentres.yaml'), 'native');
const testbed = parseTopology(readExample('paper-testbed.yaml'), 'native');

describe.each([
  ['the demo', demo],
  ['the testbed', testbed],
])('%s', (_, document) => {
  it('declares everything, so that nothing in it is planned', () => {
    expect(applySidPlan(document, null, defaultSidPlan)).toEqual({ document, planned: { locators: 0, sids: 0 } });
    const origins = document.nodes.flatMap((node) => [...(node.locators ?? []), ...(node.sids ?? [])]);
    expect(new Set(origins.map(({ origin }) => origin))).toEqual(new Set(['discovered']));
  });

  it('has a proved path by delay between any two hosts, for both families', () => {
    const snapshot = freezeSnapshot(tedFromDocument(document, 1));
    const hosts = document.nodes.filter(({ kind }) => kind === 'host').map(({ id }) => id);
    for (const source of hosts) {
      for (const destination of hosts.filter((id) => id !== source)) {
        const answer = computePaths(snapshot, { source, destination, metric: 'delay', constraints: {} });
        expect(answer).toMatchObject({ status: 'computed', optimality: 'optimal' });
        if (answer.status === 'computed') {
          expect(answer.paths[0]?.segmentLists.map(({ family }) => family)).toEqual(['ipv4', 'ipv6']);
        }
      }
    }
  });
});

describe('the low-delay algorithm', () => {
  const { document } = applySidPlan(
    parseTopology(readExample('low-delay-algorithm.yaml'), 'native'),
    null,
    defaultSidPlan,
  );
  const transportOf = (nodes: typeof document.nodes) => {
    const snapshot = freezeSnapshot(tedFromDocument({ ...document, nodes }, 1));
    const request = { source: 'fast-west', destination: 'fast-east', metric: 'delay', constraints: {} } as const;
    const answer = computePaths(snapshot, request);
    return answer.status === 'computed' ? answer.paths[0]?.transport.map(({ sid }) => sid) : answer.reason;
  };

  it('covers with one SID what takes one per link without it', () => {
    expect(transportOf(document.nodes)).toEqual(['fcbb:dd80:4:1::']);
    expect(transportOf(document.nodes.map((node) => ({ ...node, flexAlgorithms: [] })))).toHaveLength(3);
  });
});

const namesIn = (folder: string): string[] =>
  readdirSync(new URL(folder, examples))
    .filter((name) => name.endsWith('.json'))
    .sort();

describe('the demo', () => {
  const snapshot = freezeSnapshot(tedFromDocument(demo, 1));
  const answerTo = (name: string) => computePaths(snapshot, JSON.parse(readExample(`requests/${name}`)) as PathRequest);

  it('is a backbone with eight data centres, three of them with two links', () => {
    const hosts = demo.nodes.filter(({ kind }) => kind === 'host');
    const attachments = hosts.map(({ id }) => demo.links.filter(({ from }) => from === id).length);
    expect([demo.nodes.length - hosts.length, attachments.sort().join('')]).toEqual([40, '11111222']);
    for (const { podPrefixes = [], address } of hosts) {
      expect([podPrefixes.length, address]).toEqual([2, expect.stringContaining('fd00:')]);
    }
  });

  it('answers each request in requests/ as its README says', () => {
    const files = namesIn('requests/');
    const statuses = Object.fromEntries(files.map((file) => [file, answerTo(file).status]));
    expect(statuses).toEqual({
      'avoid-shared-risk.json': 'computed',
      'conflict.json': 'no-path',
      'delay-bound-on-fibre.json': 'computed',
      'impossible-delay.json': 'no-path',
      'least-delay.json': 'computed',
      'node-disjoint.json': 'computed',
      'optional-delay.json': 'computed',
      'six-gigabit.json': 'computed',
      'three-alternatives.json': 'computed',
      'two-lists.json': 'computed',
    });
    for (const file of files) expect(readExample('README.md')).toContain(`\`${file}\``);
    expect(answerTo('impossible-delay.json')).toMatchObject({ nearestFeasible: expect.any(Number) as number });
  });

  it('answers each group in requests/groups/ as its README says', () => {
    const answers = namesIn('requests/groups/').map((file) => {
      const group = JSON.parse(readExample(`requests/groups/${file}`)) as DisjointRequest;
      expect(readExample('README.md')).toContain(`\`groups/${file}\``);
      const answer = computeDisjointPaths(snapshot, group);
      return [file, answer.status === 'computed' ? answer.achieved : answer.reason];
    });
    expect(Object.fromEntries(answers)).toEqual({
      'as-far-as-possible.json': [],
      'conflict.json': 'disjoint-path-not-found',
      'disjoint-if-possible.json': [],
      'two-services.json': ['node', 'srlg'],
    });
  });

  it('needs SIDs on the way where least delay and IGP disagree', () => {
    const answer = answerTo('least-delay.json');
    expect(answer.status === 'computed' && (answer.paths[0]?.transport.length ?? 0)).toBeGreaterThan(0);
  });
});
