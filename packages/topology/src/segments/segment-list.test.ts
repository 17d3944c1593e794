import { expect, it } from 'vitest';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed } from '../testing/build-ted.js';
import { proveSegmentList } from './segment-list.js';

const snapshot = freezeSnapshot(buildTed(['a', 'b', 'h1'], [{ between: 'a-b' }, { between: 'b-h1' }]));

it('a list between nodes that are not there, or to one without the service SID, is refused by name', () => {
  const to = (headend: string, destination: string) => () =>
    proveSegmentList(snapshot, headend, ['fd00:0:2:1::'], 'ipv4', destination);
  expect(to('nobody', 'h1')).toThrow('there is no node nobody');
  expect(to('a', 'nowhere')).toThrow('there is no node nowhere');
  expect(to('a', 'b')).toThrow('b has no service SID for ipv4');
});
