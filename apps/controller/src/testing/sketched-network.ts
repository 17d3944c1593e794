import type { LinkId, NodeId, Ted, TedLink, TedNode } from '@waymark/topology';
import { buildTed } from '../../../../packages/topology/src/testing/build-ted.js';
import type { Booking, LinkBandwidth, PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import { LOWEST_PRIORITY, prioritiesOf, type CandidatePathIntent } from '../model/sr-policy.js';

export { buildTed };

const G = 1_000_000_000;

/**
 * Two hosts with two ways between them, and a third host on the upper one:
 *
 *              ┌─ b ─┐
 *     h1 ── a ─┤     ├─ d ── h2       upper: delay 1 + 1 ms, IGP 10 + 10
 *              └─ c ─┘                lower: delay 2 + 2 ms, IGP 20 + 20
 *                b ── h3
 */
export function diamond(): Ted {
  const host = (id: string, octet: number) => ({
    id,
    kind: 'host' as const,
    site: `site-${id}`,
    address: `fd00:ffff::${octet}`,
    podPrefixes: [`10.${octet}.0.0/16`, `fd10:${octet}::/64`],
    scope: 'igp' as const,
  });
  return buildTed(
    ['a', 'b', 'c', 'd', host('h1', 1), host('h2', 2), host('h3', 3)],
    [
      { between: 'h1-a', delayUs: 10, bandwidthBps: 100 * G },
      { between: 'h2-d', delayUs: 10, bandwidthBps: 100 * G },
      { between: 'h3-b', delayUs: 10, bandwidthBps: 100 * G },
      { between: 'a-b', delayUs: 1000 },
      { between: 'b-d', delayUs: 1000 },
      { between: 'a-c', delayUs: 2000, igpMetric: 20 },
      { between: 'c-d', delayUs: 2000, igpMetric: 20 },
    ],
  );
}

export function withLinks(ted: Ted, links: Readonly<Record<string, Partial<TedLink>>>): Ted {
  return { ...ted, links: ted.links.map((link) => ({ ...link, ...links[link.id] })) };
}

/** Both directions. */
export function withLinkDown(ted: Ted, id: string): Ted {
  const reverse = ted.links.find((link) => link.id === id)?.reverseId ?? '';
  return withLinks(ted, { [id]: { operationalState: 'down' }, [reverse]: { operationalState: 'down' } });
}

export function withNodes(ted: Ted, nodes: Readonly<Record<string, Partial<TedNode>>>): Ted {
  return { ...ted, nodes: ted.nodes.map((node) => ({ ...node, ...nodes[node.id] })) };
}

export function lowestDelay(
  constraints: CandidatePathIntent['path']['constraints'] = {},
  preference = 100,
): CandidatePathIntent {
  return { discriminator: preference, preference, path: { kind: 'dynamic', metric: 'delay', constraints } };
}

/** A policy that was never computed. */
export function newPolicy(
  headend: NodeId,
  endpoint: NodeId,
  candidatePaths: readonly CandidatePathIntent[],
  more: Partial<PolicyToEvaluate> & { readonly color?: number } = {},
): PolicyToEvaluate {
  const { color = 1, setupPriority, holdPriority, ...rest } = more;
  return {
    policyId: `${headend}:${color}:${endpoint}`,
    headend,
    endpoint,
    candidatePaths,
    fallback: 'drop',
    incumbent: null,
    ...prioritiesOf({ setupPriority: setupPriority ?? null, holdPriority: holdPriority ?? null }),
    bookings: [],
    pinned: null,
    reoptimise: true,
    ...rest,
  };
}

/** Bandwidth as it is booked for who uses it. */
export function inUse(bookings: readonly LinkBandwidth[], holdPriority = LOWEST_PRIORITY): Booking[] {
  return bookings.map(({ linkId, bandwidthBps }) => ({ linkId, bandwidthBps, currentBps: bandwidthBps, holdPriority }));
}

/** The two ways from h1 to h2 through the diamond. */
export const UPPER: readonly LinkId[] = ['h1:a', 'a:b', 'b:d', 'd:h2'];
export const LOWER: readonly LinkId[] = ['h1:a', 'a:c', 'c:d', 'd:h2'];

/** End SIDs of the diamond's routers. */
export const endOf = { a: 'fd00:0:1:1::', b: 'fd00:0:2:1::', c: 'fd00:0:3:1::', d: 'fd00:0:4:1::' };
