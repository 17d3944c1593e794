import {
  customResourceKinds,
  linkConstraint,
  pathProfile,
  policyMesh,
  srPolicy,
  type CustomResourceKind,
} from '@waymark/kubernetes-resources';
import type { Logger } from 'pino';
import { Problem, problemCatalogue } from '../../model/errors.js';
import type { WaymarkEvent } from '../../model/events.js';
import { pause } from '../../model/pause.js';
import type { EventBus, PolicyService, TopologyService } from '../../model/ports.js';
import type { PolicyTemplate } from '../../model/sr-policy.js';
import type { Actor } from '../../model/topology.js';
import { KubernetesError, type ApiClient } from '../api-client.js';
import { WatchedList, type WatchTiming } from '../watched-list.js';
import { linkConstraintsOf, meshIntentOf, NotAccepted, pathOf, policyIntentOf, profileOf } from './intent-of.js';
import { finalizer, ObjectWriter, type CustomObject } from './object-writer.js';
import { acceptedOnly, meshStatus, notAccepted, policyStatus } from './status-of.js';
import { WorkQueue } from './work-queue.js';

/** What belongs to one object. */
export interface Possessions {
  readonly policies: readonly string[];
  readonly meshes: readonly string[];
  readonly links: readonly string[];
}

export interface ObjectControllerOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly client: ApiClient;
  readonly policies: Pick<
    PolicyService,
    | 'policy'
    | 'createPolicy'
    | 'replacePolicy'
    | 'deletePolicy'
    | 'mesh'
    | 'createMesh'
    | 'replaceMesh'
    | 'deleteMesh'
    | 'beingWithdrawn'
  >;
  readonly topology: Pick<TopologyService, 'setLinkConstraints' | 'onRevision'>;
  readonly events: Pick<EventBus, 'subscribe'>;
  /** By owner, of all owners whose name begins so. */
  readonly possessionsOf: (prefix: string) => Promise<ReadonlyMap<string, Possessions>>;
  readonly log: Logger;
  readonly timing?: Partial<WatchTiming>;
}

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** How often it is asked whether what a deleted object asked for has been withdrawn. */
const WITHDRAWAL_MS = 500;
/** Policies of a mesh change by thousands: its counts are told at most so often. */
const MESH_STATUS_MS = 1_000;
/** Any change may be what an object that was not accepted has waited for. */
const REFUSED_MS = 1_000;
const IDLE_MS = 60_000;
/** As for hosts: with fewer, half of them going is nothing unusual. */
const COLLAPSE_MIN = 4;

const nothing: Possessions = { policies: [], meshes: [], links: [] };

/**
 * Makes the policies, meshes and link constraints that the objects of one cluster ask for, and writes on the objects what
 * became of it. Objects own what they ask for; what is deleted is held by our finalizer until headends have let go of it.
 *
 *   watch ──► queue of objects ──► spec + profiles → intent ──► services, on behalf of the object
 *   events of policies ──► queue ─────────► state of policies → status and conditions, when they differ
 */
export class ObjectController {
  readonly #options: ObjectControllerOptions;
  readonly #lists: ReadonlyMap<CustomResourceKind, WatchedList>;
  readonly #writer: ObjectWriter;
  readonly #queue = new WorkQueue(FIRST_RETRY_MS, MAX_RETRY_MS);
  readonly #troubles = new Map<string, KubernetesError>();
  /** Keys of objects by the policy or mesh that they ask for. */
  readonly #askedBy = new Map<string, string>();
  readonly #refused = new Set<string>();
  /** What was done for an object, by its key. */
  readonly #done = new Map<string, string>();
  #wake: (() => void) | undefined;
  #lost: readonly string[] = [];

  constructor(options: ObjectControllerOptions) {
    this.#options = options;
    this.#writer = new ObjectWriter(options.client, () => new Date());
    this.#lists = new Map(customResourceKinds.map((kind) => [kind, this.#watched(kind)]));
  }

  /** Why objects may be out of date, or cannot be followed at all; null: nothing is wrong. */
  get trouble(): string | null {
    const [first] = this.#troubles.values();
    return first?.message ?? null;
  }

  /** Owners of policies, meshes or constraints whose objects are gone together with most others; nothing is withdrawn. */
  get lost(): readonly string[] {
    return this.#lost;
  }

  start(): void {
    for (const list of this.#lists.values()) list.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#lists.values()].map((list) => list.stop()));
  }

  /** Works until the signal is given. Rejects never. */
  async lead(signal: AbortSignal): Promise<void> {
    const { events, topology } = this.#options;
    const end = [
      events.subscribe(
        (event) => {
          this.#heard(event);
        },
        () => {
          this.#addAll();
        },
      ),
      topology.onRevision(() => {
        for (const key of this.#refused) this.#add(key, REFUSED_MS);
      }),
    ];
    this.#addAll();
    while (!signal.aborted) {
      if (this.#isSynced()) for (const key of this.#queue.take(Date.now())) await this.#attempt(key, signal);
      await this.#sleep(signal);
    }
    for (const stop of end) stop();
    // Another controller may lead now.
    this.#queue.clear();
    this.#done.clear();
  }

  async #attempt(key: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      await this.#reconcile(key);
      this.#queue.succeeded(key);
    } catch (error) {
      this.#options.log.warn({ err: error, object: key }, 'an object of a cluster could not be served; tried again');
      this.#done.delete(key);
      this.#queue.retry(key, Date.now());
    }
  }

  #watched(kind: CustomResourceKind): WatchedList {
    const { client, timing } = this.#options;
    const path = pathOf(kind);
    return new WatchedList({
      client,
      path,
      onChange: (object) => {
        if (object === undefined) this.#addAll();
        else this.#changed(kind, object.metadata.name);
      },
      onTrouble: (trouble) => {
        if (trouble === null) this.#troubles.delete(path);
        else this.#troubles.set(path, trouble);
      },
      ...(timing === undefined ? {} : { timing }),
    });
  }

  #isSynced(): boolean {
    return [...this.#lists.values()].every((list) => list.objects !== undefined);
  }

  #objectsOf(kind: CustomResourceKind): readonly CustomObject[] {
    return [...(this.#lists.get(kind)?.objects ?? [])];
  }

  #changed(kind: CustomResourceKind, name: string): void {
    this.#add(keyOf(kind, name));
    if (kind === pathProfile) for (const user of this.#usersOf(name)) this.#add(user);
    else for (const profile of this.#objectsOf(pathProfile)) this.#add(keyOf(pathProfile, profile.metadata.name));
  }

  /** Everything that is there, and everything that was. */
  #addAll(): void {
    for (const kind of customResourceKinds) {
      for (const { metadata } of this.#objectsOf(kind)) this.#add(keyOf(kind, metadata.name));
    }
    this.#add(SWEEP);
  }

  #add(key: string, delayMs = 0): void {
    this.#queue.add(key, Date.now() + delayMs);
    this.#wake?.();
  }

  #heard({ type, data }: WaymarkEvent): void {
    if (!type.startsWith('policy.') || !('policyId' in data)) return;
    const { policyId } = data;
    const key = this.#askedBy.get(`policy ${policyId}`);
    if (key !== undefined) this.#add(key);
    const mesh = this.#askedBy.get(`color ${policyId.split(':')[1] ?? ''}`);
    if (mesh !== undefined) this.#add(mesh, MESH_STATUS_MS);
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => {
      woken.abort();
    };
    const next = this.#isSynced() ? this.#queue.next : undefined;
    const delay = next === undefined ? IDLE_MS : Math.min(Math.max(0, next - Date.now()), IDLE_MS);
    if (delay > 0) await pause(delay, AbortSignal.any([woken.signal, signal]));
    this.#wake = undefined;
  }

  async #reconcile(key: string): Promise<void> {
    if (key === SWEEP) {
      await this.#sweep();
      return;
    }
    const [kind, name] = parsedKey(key);
    const object = this.#lists.get(kind)?.get(name) as CustomObject | undefined;
    if (object === undefined) {
      this.#refused.delete(key);
      this.#done.delete(key);
      if (kind !== pathProfile) this.#add(SWEEP);
      return;
    }
    try {
      if (object.metadata.deletionTimestamp === undefined) await this.#serve(kind, object);
      else await this.#letGo(kind, object);
    } catch (error) {
      // It went, or was changed, in the meantime: the watch will tell.
      if (error instanceof KubernetesError && (error.status === 404 || error.status === 409)) return;
      throw error;
    }
  }

  async #serve(kind: CustomResourceKind, object: CustomObject): Promise<void> {
    const key = keyOf(kind, object.metadata.name);
    if (kind !== pathProfile) await this.#writer.setFinalizer(kind, object, true);
    try {
      const { findings, fields } = await this.#apply(kind, object);
      this.#refused.delete(key);
      await this.#writer.setStatus(kind, object, findings, fields);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      this.#refused.add(key);
      await this.#writer.setStatus(kind, object, notAccepted(refusal.reason, refusal.message), {});
    }
  }

  /** Makes what the object asks for. Returns its status. */
  async #apply(kind: CustomResourceKind, { metadata: { name }, spec }: CustomObject) {
    const { policies } = this.#options;
    const actor = this.#actorOf(kind, name);
    const key = keyOf(kind, name);
    switch (kind) {
      case srPolicy: {
        const intent = policyIntentOf(spec, this.#profiles);
        const id = `${intent.headend}:${intent.color}:${intent.endpoint}`;
        const read = () => policies.policy(id);
        await this.#once(key, intent, async () => {
          await createOrReplace(
            () => policies.createPolicy(intent, actor),
            read,
            (version) => policies.replacePolicy(id, intent, version, actor),
            actor,
          );
          this.#askedBy.set(`policy ${id}`, key);
          await this.#withdraw(await this.#possessions(actor), actor, { policies: [id], meshes: [], links: [] });
        });
        return policyStatus(await read());
      }
      case policyMesh: {
        const intent = meshIntentOf(name, spec, this.#profiles);
        const read = () => policies.mesh(name);
        await this.#once(key, intent, async () => {
          await createOrReplace(
            () => policies.createMesh(intent, actor),
            read,
            (version) => policies.replaceMesh(name, intent, version, actor),
            actor,
          );
          this.#askedBy.set(`color ${intent.color}`, key);
        });
        return meshStatus(await read());
      }
      case linkConstraint: {
        const wanted = linkConstraintsOf(spec);
        const { links, constraints } = wanted;
        await this.#once(key, wanted, async () => {
          const changes = links.map((link) => ({ link, constraints }));
          await this.#options.topology.setLinkConstraints({ changes, mode: 'replace', actor });
          await this.#withdraw(await this.#possessions(actor), actor, { policies: [], meshes: [], links });
        });
        return { findings: acceptedOnly, fields: {} };
      }
      default: {
        profileOf(spec);
        return { findings: acceptedOnly, fields: { users: this.#usersOf(name).length } };
      }
    }
  }

  /**
   * Does what an object asks for, unless this leader has done so: its policies tell of themselves far more often than it asks
   * for anything else, and every write waits for all others. Only the object can undo it.
   */
  async #once(key: string, wanted: object, work: () => Promise<void>): Promise<void> {
    const text = JSON.stringify(wanted);
    if (this.#done.get(key) === text) return;
    this.#done.delete(key);
    await work();
    this.#done.set(key, text);
  }

  /** Withdraws what a deleted object asked for; once headends have done it, the object may go. */
  async #letGo(kind: CustomResourceKind, object: CustomObject): Promise<void> {
    if (object.metadata.finalizers?.includes(finalizer) !== true) return;
    const actor = this.#actorOf(kind, object.metadata.name);
    this.#done.delete(keyOf(kind, object.metadata.name));
    await this.#withdraw(await this.#possessions(actor), actor, nothing);
    const waiting = await this.#beingWithdrawn(kind, object);
    if (waiting > 0) {
      this.#add(keyOf(kind, object.metadata.name), WITHDRAWAL_MS);
      return;
    }
    await this.#writer.setFinalizer(kind, object, false);
  }

  async #beingWithdrawn(kind: CustomResourceKind, { spec }: CustomObject): Promise<number> {
    if (kind !== srPolicy && kind !== policyMesh) return 0;
    const { headend, color, endpoint } = spec as { headend?: string; color: number; endpoint?: string };
    const policyId = kind === srPolicy ? `${headend ?? ''}:${color}:${endpoint ?? ''}` : undefined;
    return this.#options.policies.beingWithdrawn({ color, ...(policyId === undefined ? {} : { policyId }) });
  }

  /** Withdraws all of these but what is kept. */
  async #withdraw(owned: Possessions, actor: Actor, kept: Possessions): Promise<void> {
    const { policies, topology } = this.#options;
    for (const id of owned.policies) {
      if (kept.policies.includes(id)) continue;
      this.#askedBy.delete(`policy ${id}`);
      await policies.deletePolicy(id, (await policies.policy(id)).version, actor);
    }
    for (const id of owned.meshes) {
      if (!kept.meshes.includes(id)) await policies.deleteMesh(id, (await policies.mesh(id)).version, actor);
    }
    const links = owned.links.filter((link) => !kept.links.includes(link));
    if (links.length === 0) return;
    const changes = links.map((link) => ({ link, constraints: {} }));
    await topology.setLinkConstraints({ changes, mode: 'replace', actor });
  }

  /**
   * Withdraws what belongs to objects that are gone although our finalizer held them: somebody took it off. That most of them
   * are gone at once is not believed.
   */
  async #sweep(): Promise<void> {
    const { cluster, possessionsOf, log } = this.#options;
    const owners = await possessionsOf(`kubernetes:${cluster}/`);
    const gone = [...owners].filter(([owner]) => this.#objectOf(owner) === undefined);
    const isCollapse = owners.size >= COLLAPSE_MIN && gone.length * 2 > owners.size;
    this.#lost = isCollapse ? gone.map(([owner]) => owner) : [];
    if (isCollapse) {
      log.warn(
        { cluster, gone: gone.length, of: owners.size },
        'most objects of a cluster are gone; nothing is withdrawn',
      );
      return;
    }
    for (const [owner, owned] of gone) await this.#withdraw(owned, { name: `kubernetes:${cluster}`, owner }, nothing);
  }

  #objectOf(owner: string): CustomObject | undefined {
    const [kindName, name] = owner.slice(`kubernetes:${this.#options.cluster}/`.length).split('/');
    const kind = customResourceKinds.find((one) => one.kind === kindName);
    return kind === undefined || name === undefined ? undefined : this.#lists.get(kind)?.get(name);
  }

  async #possessions({ owner = '' }: Actor): Promise<Possessions> {
    return (await this.#options.possessionsOf(owner)).get(owner) ?? nothing;
  }

  #actorOf({ kind }: CustomResourceKind, name: string): Actor {
    const { cluster } = this.#options;
    return { name: `kubernetes:${cluster}`, owner: `kubernetes:${cluster}/${kind}/${name}` };
  }

  readonly #profiles = (name: string): PolicyTemplate | undefined => {
    const profile = this.#lists.get(pathProfile)?.get(name) as CustomObject | undefined;
    if (profile === undefined) return undefined;
    try {
      return profileOf(profile.spec);
    } catch (error) {
      if (error instanceof NotAccepted) return undefined;
      throw error;
    }
  };

  /** Keys of the objects that name a profile. */
  #usersOf(profile: string): readonly string[] {
    return [srPolicy, policyMesh].flatMap((kind) =>
      this.#objectsOf(kind)
        .filter(({ spec }) => (spec as { readonly profile?: string } | undefined)?.profile === profile)
        .map(({ metadata }) => keyOf(kind, metadata.name)),
    );
  }
}

/** Stands in the queue for all owners whose objects may be gone. */
const SWEEP = 'sweep';

function keyOf({ kind }: CustomResourceKind, name: string): string {
  return `${kind}/${name}`;
}

function parsedKey(key: string): [CustomResourceKind, string] {
  const [kindName, name = ''] = key.split('/');
  const kind = customResourceKinds.find((one) => one.kind === kindName);
  if (kind === undefined) throw new Error(`${key} is of no known kind`);
  return [kind, name];
}

async function createOrReplace<View extends { readonly version: number; readonly owner: string | null }>(
  create: () => Promise<View>,
  read: () => Promise<View>,
  replace: (version: number) => Promise<View>,
  { owner }: Actor,
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

const reasons: Readonly<Record<string, string>> = {
  'already-exists': 'Conflict',
  'owned-elsewhere': 'Conflict',
  'steering-conflict': 'Conflict',
  'mesh-owned': 'Conflict',
  'request-invalid': 'Invalid',
  'node-unknown': 'UnknownNode',
  'link-unknown': 'UnknownLink',
};

/** What an object is told when it is not served for a reason of its own; undefined: the reason is ours. */
function refusalOf(error: unknown): { readonly reason: string; readonly message: string } | undefined {
  if (error instanceof NotAccepted) return error;
  if (!(error instanceof Problem)) return undefined;
  const { status } = problemCatalogue[error.code];
  // Something else happened between reading and writing: the next try begins anew.
  if (status >= 500 || error.code === 'precondition-failed' || error.code === 'not-found') return undefined;
  const { field, detail } = error.info;
  return {
    reason: reasons[error.code] ?? 'Refused',
    message: field === undefined ? detail : `spec${field}: ${detail}`,
  };
}
