import { choice, integer, list, maxUint32, nullable, text, token } from './scalars.js';

export const nodeIdPattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';
export const linkIdPattern = '^[A-Za-z0-9][A-Za-z0-9._:-]{0,190}$';
export const policyIdPattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}:[1-9][0-9]{0,9}:[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';
export const affinityPattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';

export function nodeId(description = 'Id of a node.') {
  return token(description, nodeIdPattern, 63, ['dc-london']);
}

export function linkId(description = 'Id of a directed link.') {
  return token(description, linkIdPattern, 191, ['UK:FR']);
}

export function policyId(description = 'Id of an SR policy: headend, color and endpoint, joined by colons.') {
  return token(description, policyIdPattern, 138, ['dc-london:100:dc-athens']);
}

export function meshId(description = 'Id of a mesh.') {
  return token(description, nodeIdPattern, 63, ['all-hosts']);
}

export function sourceId(description = 'Id of a source of topology.', example = 'demo') {
  return token(description, nodeIdPattern, 63, [example]);
}

/** Any source: those of agents are named after their node, those of clusters after the cluster. */
export function anySourceId(
  description = 'Id of a source; that of a node agent is agent:<node>, that of a cluster kubernetes:<cluster>.',
) {
  return token(description, '^((agent|kubernetes):)?[A-Za-z0-9][A-Za-z0-9._-]{0,62}$', 74, ['demo']);
}

/** What is owned is read-only here. */
export function owner() {
  return nullable(
    text('Owner: kubernetes:<cluster>/<kind>/<name>.', 400, ['kubernetes:paris/SRPolicy/london-athens']),
    'The object of a Kubernetes cluster that this belongs to: it can be changed only there. null: it belongs to operators of this API.',
  );
}

export function ipv6(description: string) {
  return token(description, '^[0-9A-Fa-f:.]{2,45}$', 45, ['fcbb:bb00:8:1::']);
}

export function ipAddress(description: string) {
  return token(description, '^[0-9A-Fa-f:.]{2,45}$', 45, ['fd00:ffff:0:8::1']);
}

export function prefix(description: string) {
  return token(description, '^[0-9A-Fa-f:.]{2,45}/[0-9]{1,3}$', 49, ['10.2.0.0/16']);
}

export function affinity(description = 'Name of an affinity (extended admin group).') {
  return token(description, affinityPattern, 63, ['submarine']);
}

export function srlg(description = 'Number of a shared-risk link group.') {
  return integer(description, { maximum: maxUint32, examples: [102] });
}

export function color(description = 'Color of the SR policy (RFC 9256), at least 1.') {
  return integer(description, { minimum: 1, maximum: maxUint32, examples: [100] });
}

export function revision(description = 'Revision: grows by one with every change of anything.') {
  return integer(description, { examples: [42] });
}

export function timestamp(description: string) {
  return token(
    `${description} RFC 3339, UTC.`,
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z$',
    30,
    ['2026-01-31T12:00:00.000Z'],
  );
}

export function adminState(description: string) {
  return choice(description, ['up', 'drained', 'down']);
}

export function operationalState(description: string) {
  return choice(description, ['up', 'down']);
}

export function addressFamily(description = 'Family of the traffic inside the tunnel.') {
  return choice(description, ['ipv4', 'ipv6']);
}

export function metricType(
  description = 'Metric type: igp and te are sums of metrics, delay and delay-variation of microseconds, loss is parts per million of the whole path, hop counts links.',
) {
  return choice(description, ['igp', 'te', 'delay', 'delay-variation', 'loss', 'hop'], ['delay']);
}

export function layer() {
  return choice('Layer: what routers say, what was measured, what an operator laid over it.', [
    'discovered',
    'measured',
    'operator',
  ]);
}

/** Different affinities of a network: the bits of an extended admin group. */
export const maxAffinities = 256;

/** Names of affinities, each once. */
export function affinities(description: string) {
  return list(description, affinity(), maxAffinities, { uniqueItems: true, examples: [['submarine']] });
}

export function srlgs(description: string) {
  return list(description, srlg(), 256, { uniqueItems: true, examples: [[102]] });
}
