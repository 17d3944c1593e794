import type { FoundHost } from '@waymark/kubernetes-resources';
import { describe, expect, it } from 'vitest';
import type { ClusterConfig } from './kubernetes-config.js';
import { stateHosts, type ClusterView } from './state-hosts.js';

function found(name: string, changed: Partial<FoundHost> = {}): FoundHost {
  const known = { nodeId: null, site: null, address: null, attachedTo: [], podPrefixes: [], unclear: [] };
  return { name, ...known, ready: true, ...changed };
}

function cluster(
  name: string,
  hosts: readonly FoundHost[] | undefined,
  more: Partial<ClusterView & ClusterConfig> = {},
): ClusterView {
  const { stated = [], ...config } = more;
  return { config: { name, kubeconfig: 'file', ...config }, found: hosts, stated };
}

const stated = (id: string, ...podPrefixes: string[]) => {
  return { id, name: id, site: null, address: null, podPrefixes, attachedTo: [] };
};

describe('what clusters are to say of their hosts', () => {
  it('takes from the configuration what nodes do not say', () => {
    const [paris] = stateHosts([
      cluster(
        'paris',
        [found('one', { site: 'zone-a', attachedTo: ['r9', 'p-one'] }), found('two', { nodeId: 'dc-two' })],
        {
          site: 'paris',
          attachedTo: ['r1'],
          attachmentDelayUs: 20,
          nodeIdPrefix: 'p-',
        },
      ),
    ]);
    expect(paris?.hosts).toMatchObject([
      { id: 'p-one', name: 'one', site: 'zone-a', attachedTo: ['r9'], attachmentDelayUs: 20 },
      { id: 'dc-two', name: 'two', site: 'paris', attachedTo: ['r1'], attachmentDelayUs: 20 },
    ]);
  });

  it('leaves what a node says unclearly as it was stated, and its id', () => {
    const before = {
      ...stated('p-one', '10.1.0.0/26'),
      name: 'one',
      site: 'z',
      address: 'fd00::1',
      attachedTo: ['r1'],
    };
    const [paris] = stateHosts([
      cluster(
        'paris',
        [
          found('one', { nodeId: 'p one', podPrefixes: ['10.2.0.0/26'], unclear: ['address', 'attachedTo', 'site'] }),
          found('two', { nodeId: 'p two', unclear: ['address'] }),
        ],
        { stated: [before], nodeIdPrefix: 'p-', attachedTo: ['r9'] },
      ),
    ]);
    expect(paris?.hosts).toEqual([{ ...before, podPrefixes: ['10.2.0.0/26'] }]);
    expect(paris?.refusedNodes).toEqual([
      { node: 'one', message: '"p one" is not a node id: at most 63 letters, digits, dots, dashes; it stays p-one' },
      { node: 'two', message: '"p two" is not a node id: at most 63 letters, digits, dots, dashes' },
    ]);
  });

  it('gives an id to one node only: the one that had it, else that of the earlier cluster', () => {
    const statements = stateHosts([
      cluster('paris', [found('a'), found('b')]),
      cluster('rome', [found('a'), found('b')], { stated: [stated('b')] }),
    ]);
    expect(statements.map(({ hosts }) => hosts.map(({ id }) => id))).toEqual([['a'], ['b']]);
    expect(statements.map(({ refusedNodes }) => refusedNodes)).toEqual([
      [{ node: 'b', message: 'the node id b belongs to cluster rome' }],
      [{ node: 'a', message: 'the node id a belongs to cluster paris' }],
    ]);
  });

  it('refuses a node twice, and one whose name is no node id', () => {
    const [paris] = stateHosts([
      cluster('paris', [found('a'), found('b', { nodeId: 'a' }), found('x'.repeat(64)), found('y', { nodeId: 'a/b' })]),
    ]);
    expect(paris?.hosts.map(({ name }) => name)).toEqual(['a']);
    expect(paris?.refusedNodes.map(({ node }) => node)).toEqual(['b', 'x'.repeat(64), 'y']);
  });

  it('lets no two clusters claim an address', () => {
    const statements = stateHosts([
      cluster('paris', [found('a', { podPrefixes: ['10.0.0.0/24'] })]),
      cluster('rome', [found('b', { podPrefixes: ['10.0.0.64/26', '10.1.0.0/24'] })]),
    ]);
    expect(statements.map(({ hosts }) => hosts[0]?.podPrefixes)).toEqual([['10.0.0.0/24'], ['10.1.0.0/24']]);
    expect(statements[1]?.refusedPrefixes).toMatchObject([
      { host: 'b', prefix: '10.0.0.64/26', holder: { cluster: 'paris', host: 'a', prefix: '10.0.0.0/24' } },
    ]);
  });

  it('leaves a cluster that says nothing what it said', () => {
    const statements = stateHosts([
      cluster('paris', [found('b'), found('a', { podPrefixes: ['10.0.0.0/24'] })]),
      cluster('rome', undefined, { stated: [stated('b', '10.0.0.0/24')] }),
    ]);
    expect(statements[1]?.hosts).toEqual([stated('b', '10.0.0.0/24')]);
    expect(statements[0]?.hosts).toMatchObject([{ id: 'a', podPrefixes: [] }]);
  });
});
