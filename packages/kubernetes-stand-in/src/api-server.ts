import { Calls } from './http/calls.js';
import { Faults } from './http/faults.js';
import { Front } from './http/front.js';
import { kubeconfigOf } from './http/kubeconfig.js';
import { ResourceHandler } from './http/resource-handler.js';
import { Users, type Grant } from './http/users.js';
import { Watches } from './http/watches.js';
import { builtinResources } from './model/builtin-resources.js';
import { without, type KubeObject, type ObjectBody } from './model/kube-object.js';
import { Registry } from './model/registry.js';
import { collectionOf, type ResourceType } from './model/resource-type.js';
import { Housekeeping } from './storage/housekeeping.js';
import { Lists } from './storage/lists.js';
import { Objects, type WriteRequest } from './storage/objects.js';
import { Store } from './storage/store.js';

export interface ApiServerOptions {
  /** Any free one unless said. */
  readonly port?: number;
  /** Changes of each resource that a watch may resume from. */
  readonly watchWindow?: number;
  /** CustomResourceDefinitions that are there and served from the start. */
  readonly definitions?: readonly NewObject[];
}

/** An object to be made without a request. */
export type NewObject = ObjectBody & { readonly apiVersion: string; readonly kind: string };

const WATCH_WINDOW = 10_000;
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** A running stand-in for a Kubernetes API server. */
export class ApiServer {
  readonly faults: Faults;
  readonly calls = new Calls();
  readonly #store: Store;
  readonly #registry = new Registry(builtinResources);
  readonly #users = new Users();
  readonly #objects: Objects;
  readonly #watches: Watches;
  readonly #front: Front;

  constructor({ watchWindow = WATCH_WINDOW, definitions = [] }: ApiServerOptions = {}) {
    this.#store = new Store(watchWindow);
    this.#objects = new Objects(this.#store);
    this.#watches = new Watches(this.#store);
    for (const type of builtinResources) this.#store.collection(collectionOf(type));
    const housekeeping = new Housekeeping(this.#store, this.#registry, this.#objects);
    const lists = new Lists(this.#store);
    const parts = { registry: this.#registry, objects: this.#objects, lists, watches: this.#watches };
    this.#front = new Front({
      ...{ registry: this.#registry, users: this.#users, calls: this.calls },
      resources: new ResourceHandler(parts),
      nextFault: (info) => this.faults.next(info),
    });
    this.faults = new Faults({
      goDown: () => this.#front.stop(),
      comeUp: () => this.#front.listen(),
      dropWatches: (match) => this.#watches.drop(match),
      endWatches: (match) => this.#watches.finish(match),
      stallWatches: (match) => this.#watches.stall(match),
      resumeWatches: () => this.#watches.resume(),
      expireWatches: (match) => this.#watches.expire(match),
      sendToWatches: (text, match) => this.#watches.send(text, match),
      bookmark: () => this.#watches.bookmark(),
      compact: () => {
        this.#store.compact();
        lists.compact();
      },
    });
    for (const name of NAMESPACES) this.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    for (const definition of definitions) this.create(definition);
    housekeeping.establishAll();
  }

  /** `https://127.0.0.1:port` */
  get url(): string {
    return this.#front.url;
  }

  /** A kubeconfig (YAML) of a user who may do everything. */
  get kubeconfig(): string {
    return this.#kubeconfigOf('kubernetes-admin', this.#users.adminToken);
  }

  /** The newest resourceVersion. */
  get resourceVersion(): number {
    return this.#store.revision;
  }

  /** How many watches are open. */
  get watches(): number {
    return this.#watches.size;
  }

  /** How many events it has sent to watches, bookmarks among them. */
  get watchEvents(): number {
    return this.#watches.sent;
  }

  /** A kubeconfig of a new user who may do what the rules allow, and nothing else. */
  addUser(name: string, grants: readonly Grant[]): string {
    return this.#kubeconfigOf(name, this.#users.add({ name, grants }));
  }

  /** Creates an object without a request: for what the test finds there. @throws ApiError as the server would answer */
  create(body: NewObject): KubeObject {
    const type = this.#typeOf(body);
    return this.#objects.create(this.#request(type, body), body).object;
  }

  /** Replaces an object, or with `status` its status, without a request and whatever its resourceVersion. */
  replace(body: NewObject, subresource?: 'status'): KubeObject {
    const type = this.#typeOf(body);
    const { namespace, name = '' } = body.metadata ?? {};
    const request = { ...this.#request(type, body), subresource };
    const metadata = without(body.metadata ?? {}, 'resourceVersion');
    this.#objects.get(type, namespace, name);
    return this.#objects.patch(request, name, () => ({ ...body, metadata })).object;
  }

  /** Deletes an object without a request. @returns whether it is gone: finalizers may hold it */
  delete(apiVersion: string, kind: string, name: string, namespace?: string): boolean {
    const type = this.#typeOf({ apiVersion, kind });
    return this.#objects.delete(type, this.#objects.get(type, namespace, name), { dryRun: false }).gone;
  }

  /** The object as stored; undefined when there is none. */
  find(apiVersion: string, kind: string, name: string, namespace?: string): KubeObject | undefined {
    return this.#objects.find(this.#typeOf({ apiVersion, kind }), namespace, name);
  }

  /** All objects of a kind, in the order of namespace and name. */
  list(apiVersion: string, kind: string): readonly KubeObject[] {
    return this.#store.collection(collectionOf(this.#typeOf({ apiVersion, kind }))).all();
  }

  async listen(port = 0): Promise<void> {
    await this.#front.listen(port);
  }

  async close(): Promise<void> {
    await this.#front.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #typeOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): ResourceType {
    const type = this.#registry.findKind(apiVersion, kind);
    if (type === undefined) throw new RangeError(`${apiVersion} ${kind} is not served`);
    return type;
  }

  #request(type: ResourceType, { metadata }: ObjectBody): WriteRequest {
    const namespace = type.namespaced ? (metadata?.namespace ?? 'default') : undefined;
    return { type, namespace, subresource: undefined, fieldManager: 'test', fieldValidation: 'Strict', dryRun: false };
  }

  #kubeconfigOf(user: string, token: string): string {
    return kubeconfigOf({ url: this.url, authority: this.#front.certificate.cert, user, token });
  }
}

/** Starts a stand-in on loopback. It is empty but for the namespaces that every cluster has and the definitions given. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const server = new ApiServer(options);
  await server.listen(options.port);
  return server;
}
