import type { CustomResourceKind } from './custom-resource.js';
import { linkConstraint } from './kinds/link-constraint.js';
import { pathProfile } from './kinds/path-profile.js';
import { policyMesh } from './kinds/policy-mesh.js';
import { srPolicy } from './kinds/sr-policy.js';

/** Every kind of custom resource that Waymark serves, in the order of the reference. */
export const customResourceKinds: readonly CustomResourceKind[] = [srPolicy, policyMesh, linkConstraint, pathProfile];
