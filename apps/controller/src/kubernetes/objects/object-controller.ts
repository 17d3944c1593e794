import {
  customResourceKinds,
  linkConstraint,
  pathProfile,
  policyMesh,
  srPolicy,
  type CustomResourceKind,
} from '@waymark/kubernetes-resources';
import type { Logger } from 'pino';
import { Problem, type ProblemCode } from '../../model/errors.js';
import type { WaymarkEvent } from '../../model/events.js';
import type { ClusterProblem, Possessions } from '../../model/kubernetes.js';
import type { EventBus, PolicyService, TopologyService } from '../../model/ports.js';
import { policyIdOf, type PolicyTemplate, type SrPolicyIntent } from '../../model/sr-policy.js';
import { KubernetesError, type ApiClient } from '../api-client.js';
import { isRefusal, OwnedIntents, type IntentServices, type OwningActor } from '../owned-intents.js';
import { WatchedList, type KubernetesObject, type WatchTiming } from '../watched-list.js';
import { WorkLoop } from '../work-loop.js';
import { linkConstraintsOf, meshIntentOf, NotAccepted, pathOf, policyIntentOf, profileOf } from './intent-of.js';
import { finalizer, ObjectWriter, requireStatus, type CustomObject } from './object-writer.js';
import { ServedObjects } from './served-objects.js';
import { acceptedOnly, meshStatus, notAccepted, policyStatus } from './status-of.js';

export interface ObjectControllerOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly client: ApiClient;
  readonly policies: IntentServices['policies'] & Pick<PolicyService, 'beingWithdrawn'>;
  readonly topology: IntentServices['topology'] & Pick<TopologyService, 'onRevision'>;
  readonly events: Pick<EventBus, 'subscribe'>;
  readonly possessionsOf: IntentServices['possessionsOf'];
  readonly log: Logger;
  readonly timing?: Partial<WatchTiming>;
}

/** How often it is asked whether what a deleted object asked for has been withdrawn. */
const WITHDRAWAL_MS = 500;
/** Policies of a mesh change by thousands: its counts are told at most so often, */
const MESH_STATUS_MS = 1_000;
/** and counting them takes at most one part in so many of the time. */
const COUNTING_SHARE = 20;
/** What somebody else wrote into a status is put right then; what we wrote there ourselves comes back as a change, too. */
const ECHO_MS = 1_000;
/** Any change may be what an object that was not accepted has waited for. */
const REFUSED_MS = 1_000;

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
  readonly #intents: OwnedIntents;
  readonly #loop: WorkLoop;
  readonly #troubles = new Map<string, KubernetesError>();
  readonly #served = new ServedObjects();
  #lost: readonly Omit<ClusterProblem, 'message'>[] = [];

  constructor(options: ObjectControllerOptions) {
    this.#options = options;
    this.#writer = new ObjectWriter(options.client, () => new Date());
    this.#intents = new OwnedIntents(options.cluster, options);
    this.#loop = new WorkLoop({
      work: (key) => this.#reconcile(key),
      isReady: () => [...this.#lists.values()].every((list) => list.objects !== undefined),
      onFailure: (key, error) => {
        options.log.warn({ err: error, object: key }, 'an object of a cluster could not be served; tried again');
      },
    });
    this.#lists = new Map(customResourceKinds.map((kind) => [kind, this.#watched(kind)]));
  }

  /** Why objects may be out of date, or cannot be followed at all; null: nothing is wrong. */
  get trouble(): string | null {
    const [first] = this.#troubles.values();
    return first?.message ?? null;
  }

  /** Objects that are gone together with most others; nothing is withdrawn. What is wrong with the others is in their status. */
  problems(): readonly ClusterProblem[] {
    const message = 'it is gone together with most others, which is not believed: what it asked for stays';
    return this.#lost.map((object) => ({ ...object, message }));
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
        for (const key of this.#served.refused) this.#loop.add(key, REFUSED_MS);
      }),
    ];
    const running = this.#loop.run(signal);
    this.#addAll();
    await running;
    for (const stop of end) stop();
    this.#served.forgetWhatWasDone();
  }

  #watched(kind: CustomResourceKind): WatchedList {
    const { client, timing } = this.#options;
    const path = pathOf(kind);
    return new WatchedList({
      client,
      path,
      parts: requireStatus,
      onChange: (object) => {
        if (object === undefined) this.#addAll();
        else this.#changed(kind, object);
      },
      onTrouble: (trouble) => {
        if (trouble === null) this.#troubles.delete(path);
        else this.#troubles.set(path, trouble);
      },
      ...(timing === undefined ? {} : { timing }),
    });
  }

  #objectsOf(kind: CustomResourceKind): readonly CustomObject[] {
    return [...(this.#lists.get(kind)?.objects ?? [])];
  }

  #changed(kind: CustomResourceKind, { metadata }: KubernetesObject): void {
    const { name, uid, generation, deletionTimestamp, finalizers } = metadata;
    const key = keyOf(kind, name);
    const isThere = this.#lists.get(kind)?.get(name) !== undefined;
    const asked = JSON.stringify([uid, generation, deletionTimestamp, finalizers]);
    if (isThere && this.#served.of(key).seen === asked) {
      this.#loop.add(key, Math.max(ECHO_MS, this.#statusMs(key)));
      return;
    }
    if (isThere) this.#served.of(key).seen = asked;
    else this.#served.forget(key);
    this.#loop.add(key);
    if (kind === pathProfile) for (const user of this.#usersOf(name)) this.#loop.add(user);
    else for (const profile of this.#objectsOf(pathProfile)) this.#loop.add(keyOf(pathProfile, profile.metadata.name));
  }

  #objectOf(key: string): CustomObject | undefined {
    const [kind, name] = parsedKey(key);
    return this.#lists.get(kind)?.get(name);
  }

  /** Everything that is there, and everything that was. */
  #addAll(): void {
    this.#served.keepOnly((key) => this.#objectOf(key) !== undefined);
    for (const kind of customResourceKinds) {
      for (const { metadata } of this.#objectsOf(kind)) this.#loop.add(keyOf(kind, metadata.name));
    }
    this.#loop.add(SWEEP);
  }

  #heard({ type, data }: WaymarkEvent): void {
    if (!type.startsWith('policy.') || !('policyId' in data)) return;
    const { policyId } = data;
    const key = this.#served.whoAsksFor(`policy ${policyId}`);
    if (key !== undefined) this.#loop.add(key);
    const mesh = this.#served.whoAsksFor(`color ${policyId.split(':')[1] ?? ''}`);
    if (mesh !== undefined) this.#loop.add(mesh, this.#statusMs(mesh));
  }

  #statusMs(key: string): number {
    return Math.max(MESH_STATUS_MS, COUNTING_SHARE * (this.#served.of(key).countingMs ?? 0));
  }

  async #reconcile(key: string): Promise<void> {
    if (key === SWEEP) {
      await this.#sweep();
      return;
    }
    const [kind] = parsedKey(key);
    const object = this.#objectOf(key);
    if (object === undefined) {
      this.#served.forget(key);
      if (kind !== pathProfile) this.#loop.add(SWEEP);
      return;
    }
    try {
      if (object.metadata.deletionTimestamp === undefined) await this.#serve(kind, object);
      else await this.#letGo(kind, object);
    } catch (error) {
      delete this.#served.of(key).done;
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
      this.#served.of(key).isRefused = false;
      await this.#writer.setStatus(kind, object, findings, fields);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      this.#served.of(key).isRefused = true;
      await this.#writer.setStatus(kind, object, notAccepted(refusal.reason, refusal.message), {});
    }
  }

  /** Makes what the object asks for. Returns its status. */
  async #apply(kind: CustomResourceKind, { metadata: { name }, spec }: CustomObject) {
    const { policies } = this.#options;
    const actor = this.#intents.actorOf(kind.kind, name);
    const key = keyOf(kind, name);
    switch (kind) {
      case srPolicy: {
        const intent = policyIntentOf(spec, this.#profiles);
        const id = policyIdOf(intent);
        await this.#once(key, intent, async () => {
          await this.#putPolicy(intent, actor);
          this.#served.asks(key, `policy ${id}`);
        });
        return policyStatus(await policies.policy(id));
      }
      case policyMesh: {
        const intent = meshIntentOf(name, spec, this.#profiles);
        await this.#once(key, intent, async () => {
          await this.#intents.putMesh(intent, actor);
          this.#served.asks(key, `color ${intent.color}`);
        });
        const begun = performance.now();
        const mesh = await policies.mesh(name);
        this.#served.of(key).countingMs = performance.now() - begun;
        return meshStatus(mesh);
      }
      case linkConstraint: {
        const wanted = linkConstraintsOf(spec);
        await this.#once(key, wanted, async () => {
          await this.#intents.putConstraints(wanted.links, wanted.constraints, actor);
          await this.#intents.withdrawAllBut({ links: wanted.links }, actor);
        });
        return { findings: acceptedOnly, fields: {} };
      }
      default: {
        profileOf(spec);
        return { findings: acceptedOnly, fields: { users: this.#usersOf(name).length } };
      }
    }
  }

  /** Another headend, color or endpoint is another policy: the one before goes when the new one is there. */
  async #putPolicy(intent: SrPolicyIntent, actor: OwningActor): Promise<void> {
    const kept = { policies: [policyIdOf(intent)] };
    try {
      await this.#intents.putPolicy(intent, actor);
    } catch (error) {
      const isClaimed = error instanceof Problem && error.code === 'prefix-claimed';
      if (!isClaimed || !(await this.#withdrawOthers(kept, actor))) throw error;
      // It was the one before that steered the prefix.
      await this.#intents.putPolicy(intent, actor);
    }
    await this.#withdrawOthers(kept, actor);
  }

  /** Was there anything? */
  async #withdrawOthers(kept: Partial<Possessions>, actor: OwningActor): Promise<boolean> {
    const { policies } = await this.#intents.withdrawAllBut(kept, actor);
    return policies.length > 0;
  }

  /**
   * Does what an object asks for, unless this leader has done so: its policies tell of themselves far more often than it asks
   * for anything else, and every write waits for all others. Only the object can undo it.
   */
  async #once(key: string, wanted: object, work: () => Promise<void>): Promise<void> {
    const text = JSON.stringify(wanted);
    if (this.#served.of(key).done === text) return;
    delete this.#served.of(key).done;
    await work();
    this.#served.of(key).done = text;
  }

  /** Withdraws what a deleted object asked for; once headends have done it, the object may go. */
  async #letGo(kind: CustomResourceKind, object: CustomObject): Promise<void> {
    if (object.metadata.finalizers?.includes(finalizer) !== true) return;
    const key = keyOf(kind, object.metadata.name);
    delete this.#served.of(key).done;
    this.#served.asks(key, undefined);
    await this.#withdrawOthers({}, this.#intents.actorOf(kind.kind, object.metadata.name));
    const waiting = await this.#beingWithdrawn(kind, object);
    if (waiting > 0) {
      this.#loop.add(key, WITHDRAWAL_MS);
      return;
    }
    await this.#writer.setFinalizer(kind, object, false);
  }

  async #beingWithdrawn(kind: CustomResourceKind, { spec }: CustomObject): Promise<number> {
    if (kind !== srPolicy && kind !== policyMesh) return 0;
    const asked = spec as Pick<SrPolicyIntent, 'headend' | 'color' | 'endpoint'>;
    const policy = kind === srPolicy ? { policyId: policyIdOf(asked) } : {};
    return this.#options.policies.beingWithdrawn({ color: asked.color, ...policy });
  }

  /** Our finalizer held what is gone: somebody took it off. */
  async #sweep(): Promise<void> {
    const { cluster, log } = this.#options;
    const kinds = customResourceKinds.map(({ kind }) => kind);
    const isThere = (kind: string, name: string) => this.#lists.get(kindNamed(kind))?.get(name) !== undefined;
    this.#lost = await this.#intents.sweep(kinds, isThere);
    if (this.#lost.length === 0) return;
    log.warn({ cluster, gone: this.#lost.length }, 'most objects of a cluster are gone; nothing is withdrawn');
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
  const [kind = '', name = ''] = key.split('/');
  return [kindNamed(kind), name];
}

function kindNamed(name: string): CustomResourceKind {
  const kind = customResourceKinds.find((one) => one.kind === name);
  if (kind === undefined) throw new Error(`${name} is no kind of custom resource`);
  return kind;
}

const reasons: Readonly<Partial<Record<ProblemCode, string>>> = {
  'already-exists': 'Conflict',
  'owned-elsewhere': 'Conflict',
  'prefix-claimed': 'Conflict',
  'mesh-owned': 'Conflict',
  'request-invalid': 'Invalid',
  'node-unknown': 'UnknownNode',
  'link-unknown': 'UnknownLink',
};

/** What an object is told when it is not served for a reason of its own; undefined: the reason is ours. */
function refusalOf(error: unknown): { readonly reason: string; readonly message: string } | undefined {
  if (error instanceof NotAccepted) return error;
  if (!isRefusal(error)) return undefined;
  const { field, detail } = error.info;
  return {
    reason: reasons[error.code] ?? 'Refused',
    message: field === undefined ? detail : `spec${field}: ${detail}`,
  };
}
