import {
  LinkConstraintSpec,
  PathProfileSpec,
  PolicyMeshSpec,
  SrPolicySpec,
  type CustomResourceKind,
} from '@waymark/kubernetes-resources';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { MeshIntent, PolicyTemplate, SrPolicyIntent } from '../../model/sr-policy.js';
import type { LinkConstraints } from '../../model/topology.js';

/** An object does not say what can be done; for its condition `Accepted`. */
export class NotAccepted extends Error {
  override readonly name = 'NotAccepted';

  constructor(
    /** One word, as conditions have it. */
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

/** The template of a PathProfile by its name; undefined: there is none that is accepted. */
export type Profiles = (name: string) => PolicyTemplate | undefined;

/** Throws NotAccepted, as all of these do. */
export function policyIntentOf(spec: unknown, profiles: Profiles): SrPolicyIntent {
  const { headend, color, endpoint, name, steeredPrefixes, ...terms } = checked(SrPolicySpec, spec);
  return {
    ...{ headend, color, endpoint },
    ...(name === undefined ? {} : { name }),
    ...(steeredPrefixes === undefined ? {} : { steeredPrefixes }),
    ...templateOf(terms, profiles),
  };
}

/** The id of the mesh is the name of the object. */
export function meshIntentOf(id: string, spec: unknown, profiles: Profiles): MeshIntent {
  const { color, selector, overrides = [], ...terms } = checked(PolicyMeshSpec, spec);
  return { id, color, selector, overrides, template: templateOf(terms, profiles) };
}

export function linkConstraintsOf(spec: unknown): {
  readonly links: readonly string[];
  readonly constraints: LinkConstraints;
} {
  return checked(LinkConstraintSpec, spec);
}

export function profileOf(spec: unknown): PolicyTemplate {
  return checked(PathProfileSpec, spec);
}

type Terms = Partial<PolicyTemplate> & { readonly profile?: string };

/** What is named beside a profile replaces what the profile says. */
function templateOf({ profile, ...own }: Terms, profiles: Profiles): PolicyTemplate {
  const shared = profile === undefined ? undefined : profiles(profile);
  if (profile !== undefined && shared === undefined) {
    throw new NotAccepted('ProfileNotFound', `there is no valid PathProfile ${profile}`);
  }
  const { candidatePaths, ...rest } = { fallback: 'shortest-path' as const, ...shared, ...own };
  if (candidatePaths === undefined) throw new NotAccepted('Invalid', 'spec: give either profile or candidatePaths');
  return { candidatePaths, ...rest };
}

/** The API server has checked it already, unless it has another version of the definitions. */
function checked<Schema extends TSchema>(schema: Schema, spec: unknown): Static<Schema> {
  if (Value.Check(schema, spec)) return spec;
  const [error] = Value.Errors(schema, spec);
  throw new NotAccepted('Invalid', `spec${error?.instancePath ?? ''}: ${error?.message ?? 'is not valid'}`);
}

/** Where the objects of a kind are. */
export function pathOf({ plural }: CustomResourceKind, name?: string): string {
  return `/apis/waymark.dev/v1alpha1/${plural}${name === undefined ? '' : `/${name}`}`;
}
