import { describe, expect, it } from 'vitest';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { buildTed } from '../../testing/build-ted.js';
import { levelOf } from './disjointness-level.js';
import { requireDisjoint } from './require-disjoint.js';
import { Risks } from './risks.js';

describe('what two members bring with them', () => {
  const snapshot = freezeSnapshot(
    buildTed(
      [{ id: '7', site: '7' }, { id: 'b', site: 'b' }, 'c'],
      [{ between: '7-c', srlgs: [7] }, { between: 'b-c' }],
    ),
  );
  const risks = Risks.of(snapshot);
  const nothing = { nodes: [], links: [], srlgs: [], sites: [] };
  const level = levelOf(['node', 'srlg', 'site']);
  const nodeSeven = [{ shareable: new Set([risks.nodeRisk(snapshot.nodeIndexOf('7'))]) }];

  it('may be shared', () => {
    expect(() => {
      requireDisjoint(snapshot, level, nodeSeven, { ...nothing, nodes: ['7'] });
    }).not.toThrow();
  });

  it.each([{ srlgs: [7] }, { sites: ['7'] }])(
    'excuses nothing of another kind that has the same name: %o',
    (shared) => {
      expect(() => {
        requireDisjoint(snapshot, level, nodeSeven, { ...nothing, ...shared });
      }).toThrow('share more than their ends');
    },
  );
});
