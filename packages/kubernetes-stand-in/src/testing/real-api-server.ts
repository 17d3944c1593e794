import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import type { NewObject } from '../api-server.js';
import type { Calls } from '../http/calls.js';
import type { Faults } from '../http/faults.js';
import type { Grant } from '../http/users.js';
import type { KubeObject } from '../model/kube-object.js';
import { FaultProxy } from './fault-proxy.js';
import { RealObjects } from './real-objects.js';
import type { TestApiServer } from './test-api-server.js';
import { Upstream } from './upstream.js';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const RBAC = 'rbac.authorization.k8s.io';
/** On what a test makes, with a value of its own. */
const LABEL = 'waymark-test';

interface Definition {
  readonly metadata?: { readonly name?: string; readonly labels?: object };
  readonly spec: { readonly group: string; readonly versions: readonly { readonly name: string }[] };
}

/** A real API server, of which a test sees what it made itself. */
export class RealApiServer implements TestApiServer {
  readonly #upstream: Upstream;
  readonly #proxy: FaultProxy;
  readonly #objects: RealObjects;
  readonly #id: string;
  #namespace: string | undefined;

  private constructor(upstream: Upstream, definitions: readonly NewObject[]) {
    this.#upstream = upstream;
    this.#id = randomBytes(4).toString('hex');
    const groups = new Set(definitions.map((one) => (one as unknown as Definition).spec.group));
    this.#proxy = new FaultProxy(upstream, { labelSelector: `${LABEL}=${this.#id}`, groups });
    this.#objects = new RealObjects(upstream, LABEL, this.#id);
  }

  /** @param file the kubeconfig, whose user may do everything */
  static async open(file: string, definitions: readonly NewObject[]): Promise<RealApiServer> {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(file);
    const upstream = await Upstream.of(kubeConfig);
    for (const definition of definitions) await define(upstream, definition as unknown as Definition);
    const server = new RealApiServer(upstream, definitions);
    await server.#proxy.listen();
    return server;
  }

  get url(): string {
    return this.#proxy.url;
  }

  get kubeconfig(): string {
    return this.#proxy.kubeconfig;
  }

  get faults(): Faults {
    return this.#proxy.faults;
  }

  get calls(): Calls {
    return this.#proxy.calls;
  }

  get watches(): number {
    return this.#proxy.watches;
  }

  /** A service account, with a role and a binding for each grant. */
  async addUser(name: string, grants: readonly Grant[]): Promise<string> {
    const own = `${LABEL}-${this.#id}`;
    if (this.#namespace === undefined) {
      await this.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: own } });
      this.#namespace = own;
    }
    await this.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: own } });
    const subjects = [{ kind: 'ServiceAccount', name, namespace: own }];
    for (const [i, { namespace, rules }] of grants.entries()) {
      const kind = namespace === undefined ? 'ClusterRole' : 'Role';
      const metadata = { name: `${own}-${name}-${i}`, ...(namespace === undefined ? {} : { namespace }) };
      const roleRef = { apiGroup: RBAC, kind, name: metadata.name };
      await this.create({ apiVersion: `${RBAC}/v1`, kind, metadata, rules });
      await this.create({ apiVersion: `${RBAC}/v1`, kind: `${kind}Binding`, metadata, roleRef, subjects });
    }
    const path = `/api/v1/namespaces/${own}/serviceaccounts/${name}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3_600 } };
    const request = (await this.#upstream.must('POST', path, body)) as { readonly status: { readonly token: string } };
    return this.#proxy.kubeconfigOf(name, request.status.token);
  }

  create(body: NewObject): Promise<KubeObject> {
    return this.#objects.create(body);
  }

  replace(body: NewObject): Promise<KubeObject> {
    return this.#objects.replace(body);
  }

  delete(apiVersion: string, kind: string, name: string, namespace?: string): Promise<boolean> {
    return this.#objects.delete(apiVersion, kind, name, namespace);
  }

  find(apiVersion: string, kind: string, name: string, namespace?: string): Promise<KubeObject | undefined> {
    return this.#objects.find(apiVersion, kind, name, namespace);
  }

  list(apiVersion: string, kind: string): Promise<readonly KubeObject[]> {
    return this.#objects.list(apiVersion, kind);
  }

  async close(): Promise<void> {
    await this.#proxy.stop();
    await this.#objects.clear();
    this.#upstream.close();
  }
}

/** One that is there is left as it is, unless tests made it. */
async function define(upstream: Upstream, definition: Definition): Promise<void> {
  const path = `${DEFINITIONS}/${definition.metadata?.name ?? ''}`;
  const found = await upstream.call('GET', path);
  const there = found.code === 200 ? (found.body as Definition) : undefined;
  if (there === undefined || LABEL in (there.metadata?.labels ?? {})) {
    const metadata = { ...definition.metadata, labels: { [LABEL]: 'definition' } };
    const query = `fieldManager=${LABEL}&force=true`;
    await upstream.must('PATCH', `${path}?${query}`, { ...definition, metadata }, 'application/apply-patch+yaml');
  }
  const { group, versions } = definition.spec;
  for (const { name } of versions) {
    const [plural = ''] = definition.metadata?.name?.split('.') ?? [];
    while ((await upstream.call('GET', `/apis/${group}/${name}/${plural}?limit=1`)).code !== 200) await sleep(50);
  }
}
