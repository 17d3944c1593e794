import { isDeepStrictEqual } from 'node:util';
import type { MeshIntent, PolicyTemplate, SrPolicyIntent } from '../model/sr-policy.js';

/**
 * Whether two intents, both in canonical form, ask for the same. The order of candidate paths, prefixes and members means
 * nothing, and the database does not keep it.
 */
export function isSamePolicy(a: SrPolicyIntent, b: SrPolicyIntent): boolean {
  return isDeepStrictEqual(orderedPolicy(a), orderedPolicy(b));
}

/** As isSamePolicy. */
export function isSameMesh(a: MeshIntent, b: MeshIntent): boolean {
  return isDeepStrictEqual(orderedMesh(a), orderedMesh(b));
}

function orderedPolicy(intent: SrPolicyIntent): SrPolicyIntent {
  const { steeredPrefixes } = intent;
  return {
    ...ordered(intent),
    ...(steeredPrefixes === undefined ? {} : { steeredPrefixes: steeredPrefixes.toSorted() }),
  };
}

function orderedMesh(intent: MeshIntent): MeshIntent {
  const { nodes, sites, ...rest } = intent.selector;
  return {
    ...intent,
    selector: {
      ...rest,
      ...(nodes === undefined ? {} : { nodes: nodes.toSorted() }),
      ...(sites === undefined ? {} : { sites: sites.toSorted() }),
    },
    template: ordered(intent.template),
    overrides: intent.overrides
      .map(({ override, ...pair }) => ({ ...pair, override: ordered(override) }))
      .toSorted((a, b) => compare(`${a.headend}:${a.endpoint}`, `${b.headend}:${b.endpoint}`)),
  };
}

function ordered<Template extends Partial<PolicyTemplate>>(template: Template): Template {
  const { candidatePaths } = template;
  if (candidatePaths === undefined) return template;
  return { ...template, candidatePaths: candidatePaths.toSorted((a, b) => a.discriminator - b.discriminator) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
