import type { Sid } from '@waymark/topology';
import type { ServiceBehavior } from '../topology-document.js';
import {
  decimal,
  flag,
  integer,
  ipAddress,
  ipv6Address,
  label,
  linkId,
  list,
  nodeId,
  object,
  oneOf,
  pattern,
  prefix,
  set,
  type Fields,
  type Reader,
} from './readers.js';

/**
 * Every field of the native format with its range. docs/topology-format.md has a row for each; a test holds the two
 * together. Ranges are those of the protocols that carry the values (RFC 5305, 8570, 9350) and of the database.
 */

const operationalState = oneOf('up', 'down');
const behavior = oneOf('End', 'End.X', 'End.DT4', 'End.DT6', 'End.DT46');
const flavors = set(oneOf('PSP', 'USP', 'USD', 'NEXT-C-SID'), 4);
const origin = oneOf('discovered', 'agent', 'operator', 'planned');
const algorithm = integer(0, 255);
const microseconds = integer(0, 4_294_967_295);
const bitsPerSecond = integer(0, Number.MAX_SAFE_INTEGER);
const affinity = pattern(
  'a name of letters, digits, ".", "_" and "-" (at most 63)',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
);

export const structureFields = {
  blockBits: integer(0, 128),
  nodeBits: integer(0, 128),
  functionBits: integer(0, 128),
  argumentBits: integer(0, 128),
} as const satisfies Fields;

const structure = object(structureFields, ['blockBits', 'nodeBits', 'functionBits', 'argumentBits']);

/** `opaque`: allocated by an IPAM, so that nothing can be read from its bits. */
const sidStructure: Reader<'opaque' | NonNullable<ReturnType<typeof structure>>> = (value, pointer, problems) =>
  value === 'opaque' ? 'opaque' : structure(value, pointer, problems);

export const locatorFields = {
  prefix: prefix('ipv6'),
  algorithm,
  metric: integer(0, 4_294_967_295),
  anycast: flag,
  scope: oneOf('igp', 'attachment'),
  structure,
  origin,
} as const satisfies Fields;

export const sidFields = {
  sid: ipv6Address,
  behavior,
  flavors,
  algorithm,
  protected: flag,
  linkId,
  structure: sidStructure,
  origin,
} as const satisfies Fields;

export const definitionFields = {
  metricType: oneOf('igp', 'min-delay', 'te'),
  priority: integer(0, 255),
  excludeAny: set(affinity, 256),
  includeAny: set(affinity, 256),
  includeAll: set(affinity, 256),
  excludeSrlgs: set(integer(0, 4_294_967_295), 1_000),
} as const satisfies Fields;

export const flexAlgorithmFields = {
  algorithm: integer(128, 255),
  definition: object(definitionFields),
} as const satisfies Fields;

export const nodeFields = {
  id: nodeId,
  kind: oneOf('router', 'host'),
  name: label(200),
  site: label(200),
  latitude: decimal(-90, 90),
  longitude: decimal(-180, 180),
  routerId: pattern('a dotted quad', /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/),
  igpDomain: nodeId,
  address: ipv6Address,
  encapMode: oneOf('full', 'reduced'),
  msdHEncaps: integer(0, 64),
  msdSegmentsLeft: integer(0, 255),
  msdEndPop: integer(0, 255),
  msdEndD: integer(0, 255),
  podPrefixes: set(prefix(), 10_000),
  operationalState,
  flexAlgorithms: list(object(flexAlgorithmFields, ['algorithm']), 128),
  locators: list(object(locatorFields, ['prefix']), 1_000),
  sids: list(object(sidFields, ['sid', 'behavior']), 100_000),
} as const satisfies Fields;

/** What both directions of a link may share. */
export const linkAttributeFields = {
  igpArea: label(63),
  igpMetric: integer(0, 16_777_215),
  teMetric: integer(0, 4_294_967_295),
  delayUs: microseconds,
  delayMinUs: microseconds,
  delayMaxUs: microseconds,
  delayVariationUs: microseconds,
  lossPpm: integer(0, 1_000_000),
  bandwidthBps: bitsPerSecond,
  reservableBandwidthBps: bitsPerSecond,
  affinities: set(affinity, 256),
  srlgs: set(integer(0, 4_294_967_295), 1_000),
  mtuBytes: integer(1_280, 65_535),
  operationalState,
} as const satisfies Fields;

export const directionFields = {
  id: linkId,
  interfaceAddresses: set(ipAddress, 100),
  ...linkAttributeFields,
} as const satisfies Fields;

export const shortLinkFields = {
  between: list(nodeId, 2),
  ...linkAttributeFields,
  forward: object(directionFields),
  backward: object(directionFields),
} as const satisfies Fields;

export const directedLinkFields = {
  from: nodeId,
  to: nodeId,
  reverse: linkId,
  ...directionFields,
} as const satisfies Fields;

export const sidPlanFields = {
  block: prefix('ipv6'),
  nodeBits: integer(1, 32),
  functionBits: integer(4, 32),
  flavors,
  services: set(oneOf<ServiceBehavior>('End.DT4', 'End.DT6', 'End.DT46'), 2),
} as const satisfies Fields;

const adminState = oneOf('up', 'drained', 'down');

export const operatorNodeFields = {
  id: nodeId,
  adminState,
  msdHEncaps: nodeFields.msdHEncaps,
  msdSegmentsLeft: nodeFields.msdSegmentsLeft,
  msdEndPop: nodeFields.msdEndPop,
  msdEndD: nodeFields.msdEndD,
} as const satisfies Fields;

export const operatorLinkFields = {
  id: linkId,
  adminState,
  teMetric: linkAttributeFields.teMetric,
  delayUs: microseconds,
  delayVariationUs: microseconds,
  lossPpm: linkAttributeFields.lossPpm,
  bandwidthBps: bitsPerSecond,
  reservableBandwidthBps: bitsPerSecond,
  affinities: linkAttributeFields.affinities,
  srlgs: linkAttributeFields.srlgs,
} as const satisfies Fields;

export const operatorFields = {
  nodes: list(object(operatorNodeFields, ['id'])),
  links: list(object(operatorLinkFields, ['id'])),
} as const satisfies Fields;

/** Behaviors by which a host, and only rarely a router, delivers decapsulated packets. */
export function isServiceBehavior(behavior: Sid['behavior']): behavior is ServiceBehavior {
  return behavior === 'End.DT4' || behavior === 'End.DT6' || behavior === 'End.DT46';
}
