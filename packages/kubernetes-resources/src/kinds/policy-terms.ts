import { PolicyTemplate, nodeIdPattern, token } from '@waymark/http-contract';
import { Type } from 'typebox';
import type { ObjectConventions } from '../structural-schema.js';

/** Names of Kubernetes objects that Waymark takes for ids of its own as well. */
export function profileName(description: string) {
  return token(description, nodeIdPattern, 63, ['low-latency']);
}

const { candidatePaths, fallback, setupPriority, holdPriority } = PolicyTemplate.properties;

/** What a policy is made of: named here, or taken from a profile; what is named here wins. */
export const termsOrProfile = {
  profile: Type.Optional(
    profileName('Name of the PathProfile that gives the candidate paths. Else candidatePaths does.'),
  ),
  candidatePaths: Type.Optional(candidatePaths),
  fallback: Type.Optional(fallback),
  setupPriority,
  holdPriority,
};

/** Either of these gives the candidate paths. */
export const termsOrProfileExactlyOne = ['profile', 'candidatePaths'];

export const policyConventions: ObjectConventions = {
  listKeys: { candidatePaths: ['discriminator'], bounds: ['metric'], overrides: ['headend', 'endpoint'] },
  defaults: { preference: 100, weight: 1 },
};
