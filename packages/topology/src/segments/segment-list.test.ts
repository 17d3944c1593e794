import { expect, it } from 'vitest';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed } from '../testing/build-ted.js';
import { proveSegmentList, proveSegmentLists } from './segment-list.js';

const FAMILIES = ['ipv4', 'ipv6'] as const;

const snapshot = freezeSnapshot(buildTed(['a', 'b', 'h1'], [{ between: 'a-b' }, { between: 'b-h1' }]));

it('a list between nodes that are not there, or to one without the service SID, is refused by name', () => {
  const to = (headend: string, destination: string) => () =>
    proveSegmentList(snapshot, headend, ['fd00:0:2:1::'], 'ipv4', destination);
  expect(to('nobody', 'h1')).toThrow('there is no node nobody');
  expect(to('a', 'nowhere')).toThrow('there is no node nowhere');
  expect(to('a', 'b')).toThrow('b has no service SID for ipv4');
});

it('families get each the list that it would get alone, whether one service SID serves both or not', () => {
  const ted = buildTed(['a', 'b', 'h1'], [{ between: 'a-b' }, { between: 'b-h1' }]);
  const withBoth = ted.nodes.map((node) => {
    const [service] = node.sids.filter(({ behavior }) => behavior === 'End.DT4');
    return service === undefined ? node : { ...node, sids: [{ ...service, behavior: 'End.DT46' as const }] };
  });
  for (const network of [ted, { ...ted, nodes: withBoth }].map(freezeSnapshot)) {
    const alone = FAMILIES.map((family) => proveSegmentList(network, 'a', ['fd00:0:2:1::'], family, 'h1'));
    expect(proveSegmentLists(network, 'a', ['fd00:0:2:1::'], FAMILIES, 'h1')).toEqual(alone);
    expect(alone.map(({ list }) => list.family)).toEqual(FAMILIES);
  }
});
