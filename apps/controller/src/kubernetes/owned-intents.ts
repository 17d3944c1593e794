import type { ClusterProblem, Possessions } from '../model/kubernetes.js';
import { Problem, problemCatalogue } from '../model/errors.js';
import { isCollapse } from '../model/collapse.js';
import type { PolicyService, TopologyService } from '../model/ports.js';
import {
  policyIdOf,
  type MeshIntent,
  type MeshView,
  type SrPolicyIntent,
  type SrPolicyView,
} from '../model/sr-policy.js';
import type { Actor, LinkConstraints } from '../model/topology.js';

export interface IntentServices {
  readonly policies: Pick<
    PolicyService,
    'policy' | 'createPolicy' | 'replacePolicy' | 'deletePolicy' | 'mesh' | 'createMesh' | 'replaceMesh' | 'deleteMesh'
  >;
  readonly topology: Pick<TopologyService, 'setLinkConstraints'>;
  /** By owner, of all owners whose name begins so. */
  readonly possessionsOf: (prefix: string) => Promise<ReadonlyMap<string, Possessions>>;
}

/** An object of a cluster that acts for itself. */
export type OwningActor = Actor & { readonly owner: string };

const nothing: Possessions = { policies: [], meshes: [], links: [] };

/** Makes and withdraws what the objects of one cluster ask for, on behalf of each. Everything here throws Problem. */
export class OwnedIntents {
  readonly #prefix: string;

  constructor(
    private readonly cluster: string,
    private readonly services: IntentServices,
  ) {
    this.#prefix = `kubernetes:${cluster}/`;
  }

  actorOf(kind: string, name: string): OwningActor {
    return { name: `kubernetes:${this.cluster}`, owner: `${this.#prefix}${kind}/${name}` };
  }

  async possessions({ owner }: OwningActor): Promise<Possessions> {
    return (await this.services.possessionsOf(owner)).get(owner) ?? nothing;
  }

  putPolicy(intent: SrPolicyIntent, actor: OwningActor): Promise<SrPolicyView> {
    const { policies } = this.services;
    const id = policyIdOf(intent);
    return createOrReplace(
      () => policies.createPolicy(intent, actor),
      () => policies.policy(id),
      (version) => policies.replacePolicy(id, intent, version, actor),
      actor,
    );
  }

  putMesh(intent: MeshIntent, actor: OwningActor): Promise<MeshView> {
    const { policies } = this.services;
    return createOrReplace(
      () => policies.createMesh(intent, actor),
      () => policies.mesh(intent.id),
      (version) => policies.replaceMesh(intent.id, intent, version, actor),
      actor,
    );
  }

  /** Without constraints: clears them. */
  async putConstraints(links: readonly string[], constraints: LinkConstraints, actor: OwningActor): Promise<void> {
    const changes = links.map((link) => ({ link, constraints }));
    if (changes.length > 0) await this.services.topology.setLinkConstraints({ changes, mode: 'replace', actor });
  }

  /** Withdraws all that the object owns but what is kept. Returns what was withdrawn. */
  async withdrawAllBut(kept: Partial<Possessions>, actor: OwningActor): Promise<Possessions> {
    const owned = await this.possessions(actor);
    const { policies } = this.services;
    const gone = {
      policies: owned.policies.filter((id) => kept.policies?.includes(id) !== true),
      meshes: owned.meshes.filter((id) => kept.meshes?.includes(id) !== true),
      links: owned.links.filter((link) => kept.links?.includes(link) !== true),
    };
    for (const id of gone.policies) await policies.deletePolicy(id, (await policies.policy(id)).version, actor);
    for (const id of gone.meshes) await policies.deleteMesh(id, (await policies.mesh(id)).version, actor);
    await this.putConstraints(gone.links, {}, actor);
    return gone;
  }

  /**
   * Withdraws what belongs to objects of these kinds that are not there any more, unless most of them are gone: that is not
   * believed, and they are returned.
   */
  async sweep(
    kinds: readonly string[],
    isThere: (kind: string, name: string) => boolean,
  ): Promise<readonly Omit<ClusterProblem, 'message'>[]> {
    const owners = [...(await this.services.possessionsOf(this.#prefix)).keys()].flatMap((owner) => {
      const [kind = '', name = ''] = owner.slice(this.#prefix.length).split('/');
      return kinds.includes(kind) ? [{ kind, name }] : [];
    });
    const gone = owners.filter(({ kind, name }) => !isThere(kind, name));
    if (isCollapse(gone.length, owners.length)) return gone.map(({ kind, name }) => ({ object: `${kind} ${name}` }));
    for (const { kind, name } of gone) await this.withdrawAllBut({}, this.actorOf(kind, name));
    return [];
  }
}

async function createOrReplace<View extends { readonly version: number; readonly owner: string | null }>(
  create: () => Promise<View>,
  read: () => Promise<View>,
  replace: (version: number) => Promise<View>,
  { owner }: OwningActor,
): Promise<View> {
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'already-exists') throw error;
    const known = await read();
    if (known.owner !== owner) throw error;
    return replace(known.version);
  }
}

/** Is the reason for a refusal something that the object asks for? Otherwise it is ours, and is tried again. */
export function isRefusal(error: unknown): error is Problem {
  if (!(error instanceof Problem)) return false;
  const { code } = error;
  // Something else happened between reading and writing: the next try begins anew.
  return problemCatalogue[code].status < 500 && code !== 'precondition-failed' && code !== 'not-found';
}
