import { describe, expect, it } from 'vitest';
import { parseTopology } from '@waymark/topology-formats';
import { paperTestbed } from './testbed.js';
import { topologyDocument } from './topology-document.js';

describe('the testbed as a topology file', () => {
  it('is read back with every SID, and with the service SIDs known to the attachment routers only', () => {
    const testbed = paperTestbed();
    const { nodes, links } = parseTopology(topologyDocument(testbed), 'native');
    expect(links.map(({ id }) => id).sort()).toEqual(testbed.arcs.map(({ id }) => id).sort());
    const r4 = nodes.find(({ id }) => id === 'R4');
    expect(r4?.sids?.map(({ sid }) => sid).sort()).toEqual(['fcff:4::1', 'fcff:4::e:3', 'fcff:4::e:5', 'fcff:4::e:6']);
    const worker2 = nodes.find(({ id }) => id === 'worker2');
    expect(worker2).toMatchObject({ kind: 'host', locators: [{ prefix: 'fcdd:0:3::/48', scope: 'attachment' }] });
    expect(worker2?.sids?.map(({ structure }) => structure?.functionBits)).toEqual([80, 80]);
  });
});
