import {
  canonicalIpv6,
  type LinkId,
  type NodeId,
  type PathConstraints,
  type PathRequest,
  type Snapshot,
} from '@waymark/topology';
import { Problem } from '../model/errors.js';

/** An id that a request names, and where: a JSON pointer into the request. */
export type NamedId =
  { readonly field: string; readonly node: NodeId } | { readonly field: string; readonly link: LinkId };

/** Ids that a path request names; `at` points to the request. */
export function idsInRequest({ source, destination, constraints, protection }: PathRequest, at = ''): NamedId[] {
  return [
    { field: `${at}/source`, node: source },
    { field: `${at}/destination`, node: destination },
    ...idsInConstraints(constraints, `${at}/constraints`),
    ...idsInConstraints(protection?.standby?.constraints ?? {}, `${at}/protection/standby/constraints`),
  ];
}

/** Ids that constraints name; `at` points to the constraints. */
export function idsInConstraints(constraints: PathConstraints, at = '/constraints'): NamedId[] {
  const { exclude, include = [] } = constraints;
  return [
    ...(exclude?.nodes ?? []).map((node, i) => ({ field: `${at}/exclude/nodes/${i}`, node })),
    ...(exclude?.links ?? []).map((link, i) => ({ field: `${at}/exclude/links/${i}`, link })),
    ...include.map((stop, i) =>
      'node' in stop
        ? { field: `${at}/include/${i}/node`, node: stop.node }
        : { field: `${at}/include/${i}/link`, link: stop.link },
    ),
  ];
}

/** Throws Problem node-unknown or link-unknown (whichever comes first), listing every id that the snapshot lacks. */
export function requireKnownIds(snapshot: Snapshot, ids: readonly NamedId[]): void {
  const unknown = ids.filter((id) => ('node' in id ? snapshot.nodeIndexOf(id.node) : snapshot.arcOf(id.link)) < 0);
  const errors = unknown.map((id) => ({
    field: id.field,
    detail: 'node' in id ? `There is no node "${id.node}".` : `There is no link "${id.link}".`,
  }));
  const [first] = unknown;
  const [error] = errors;
  if (first === undefined || error === undefined) return;
  throw new Problem('node' in first ? 'node-unknown' : 'link-unknown', { ...error, errors });
}

/** Throws Problem request-invalid for an optional constraint that is none of those that the request has. */
export function requireConstraints(known: readonly string[], optional: readonly string[] = []): void {
  const errors = optional.flatMap((pointer, i) =>
    known.includes(pointer)
      ? []
      : [
          {
            field: `/optional/${i}`,
            detail: `There is no constraint at "${pointer}"; there is ${known.join(', ') || 'none'}.`,
          },
        ],
  );
  const [error] = errors;
  if (error !== undefined) throw new Problem('request-invalid', { ...error, errors });
}

/** SIDs in the spelling of the TED (RFC 5952). Throws Problem request-invalid for what is no IPv6 address. */
export function canonicalSids(sids: readonly string[]): string[] {
  return sids.map((sid, i) => {
    try {
      return canonicalIpv6(sid);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new Problem('request-invalid', { detail: error.message, field: `/sids/${i}` });
    }
  });
}
