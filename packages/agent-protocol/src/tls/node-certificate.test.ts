import { describe, expect, it } from 'vitest';
import { nodeInCertificate } from './node-certificate.js';

const uri = (node: string): string => `URI:spiffe://example.org/waymark/node/${node}`;

describe('the node of a certificate', () => {
  it.each([
    [uri('h1'), 'h1'],
    [`DNS:h1.example.net, ${uri('dc-london.1_a')}, IP Address:192.0.2.1`, 'dc-london.1_a'],
    ['URI:spiffe://waymark/waymark/node/h1', 'h1'],
  ])('%s is %s', (subjectaltname, node) => {
    expect(nodeInCertificate({ subjectaltname })).toBe(node);
  });

  it.each([
    ['no names', ''],
    ['a DNS name alone', 'DNS:h1'],
    ['two URIs', `${uri('h1')}, ${uri('h2')}`],
    ['a URI of something else besides', `${uri('h1')}, URI:spiffe://example.org/other`],
    ['another scheme', uri('h1').replace('spiffe', 'https')],
    ['no trust domain', uri('h1').replace('example.org', '')],
    ['another path', uri('h1').replace('node', 'nodes')],
    ['a longer path', `${uri('h1')}/h2`],
    ['a query', `${uri('h1')}?h2`],
    ['no node', uri('')],
    ['what is no node id', uri('..')],
    ['an escaped node id', uri('h%31')],
    ['a name that hides another in quotes', `DNS:"x, ${uri('h1')}"`],
    ['a URI in quotes', `URI:"spiffe://example.org/waymark/node/h1"`],
  ])('%s names none', (_, subjectaltname) => {
    expect(nodeInCertificate({ subjectaltname })).toBeUndefined();
  });
});
