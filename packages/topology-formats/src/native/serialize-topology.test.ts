import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tedFromDocument } from '../defaults.js';
import { parseTopology } from '../parse-topology.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { serializeTopology } from './serialize-topology.js';

describe.each(['json', 'yaml'] as const)('a TED written as %s', (syntax) => {
  it('is read back as the same TED', () => {
    fc.assert(
      fc.property(arbitraryTed, (ted) => {
        const text = serializeTopology(ted, syntax);
        expect(tedFromDocument(parseTopology(text, 'native'))).toEqual(ted);
      }),
      { numRuns: 100 },
    );
  });

  it('is the same text when written again', () => {
    fc.assert(
      fc.property(arbitraryTed, (ted) => {
        const text = serializeTopology(ted, syntax);
        expect(serializeTopology(tedFromDocument(parseTopology(text, 'native')), syntax)).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  it('carries operator settings, which reading checks and leaves alone', () => {
    const ted = { revision: 3, nodes: [], links: [] };
    const text = serializeTopology(ted, syntax, {
      nodes: [{ id: 'a', adminState: 'drained', msdHEncaps: null }],
      links: [{ id: 'a:b', teMetric: 7, affinities: ['gold'] }],
    });
    expect(text).toContain('drained');
    expect(text).not.toContain('msdHEncaps');
    expect(parseTopology(text, 'native')).toEqual({ nodes: [], links: [], sidPlan: null });
  });
});

it('writes what differs between the directions, and one line per link in YAML', () => {
  const document = parseTopology(
    `
waymark: 1
nodes: [{ id: a }, { id: b }]
links:
  - { between: [a, b], igpMetric: 7, forward: { delayUs: 1 }, backward: { delayUs: 2 } }
  - { between: [a, b] }
`,
    'native',
  );
  const text = serializeTopology(tedFromDocument(document), 'yaml');
  expect(text.slice(text.indexOf('links:'))).toBe(`links:
  - { between: [ a, b ], igpMetric: 7, forward: { delayUs: 1 }, backward: { delayUs: 2 } }
  - { between: [ a, b ], forward: { id: a:b:2 }, backward: { id: b:a:2 } }
`);
});
