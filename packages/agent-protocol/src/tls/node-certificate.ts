import type { PeerCertificate } from 'node:tls';
import { isNodeId } from '../identifiers.js';

const NODE_URI = /^spiffe:\/\/[a-z0-9._-]{1,255}\/waymark\/node\/([^/]+)$/;

/**
 * The node whose agent a certificate is for: its one URI among the subject alternative names is
 * `spiffe://<trust domain>/waymark/node/<node id>` (as SPIFFE has it, a certificate with several URIs is nobody's). Which
 * trust domain does not matter: who may issue certificates is decided by the CA file. Undefined when it names no node.
 */
export function nodeInCertificate({
  subjectaltname = '',
}: Pick<PeerCertificate, 'subjectaltname'>): string | undefined {
  // Node quotes names that could be taken for several, so one with a quote is never one of ours.
  const uris = subjectaltname.split(', ').filter((name) => name.startsWith('URI:'));
  const [uri = ''] = uris;
  const node = NODE_URI.exec(uri.slice('URI:'.length))?.[1];
  return uris.length === 1 && node !== undefined && isNodeId(node) ? node : undefined;
}
