import type { MeshIntent, SrPolicyIntent, SrPolicyView } from '../../apps/controller/src/model/sr-policy.js';
import type { ClusterHostsView } from '../../apps/controller/src/model/kubernetes.js';
import type { ServiceClassView } from '../../apps/controller/src/model/service-class.js';
import type { AgentView } from '../../apps/controller/src/model/agents.js';
import type { ImportResult, NodeView, SourceBatch, TopologyHead } from '../../apps/controller/src/model/topology.js';
import type { PathAnswer, PathRequest } from '@waymark/topology';

interface List<T> {
  readonly items: readonly T[];
}

/** Longer than any request takes; a controller that hangs answers none. */
const TIMEOUT_MS = 15_000;

/** An answer that is not 2xx, with its problem document. */
export class RestError extends Error {
  readonly status: number;

  constructor(what: string, status: number, problem: string) {
    super(`${what}: ${status} ${problem}`);
    this.name = 'RestError';
    this.status = status;
  }
}

/** The controller's REST API as a user calls it. Every answer that is not 2xx is a RestError. */
export class RestClient {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** `headers` go along with each request: who makes it. */
  constructor(base: string, headers: Readonly<Record<string, string>>) {
    this.#base = base;
    this.#headers = headers;
  }

  head(): Promise<TopologyHead> {
    return this.#request('GET', '/v1/topology');
  }

  importTopology(source: string, content: string): Promise<ImportResult> {
    return this.#request('POST', '/v1/topology/imports', { format: 'native', source, content });
  }

  /** The contract says that a repeated or held batch is an answer too. */
  postEvents(source: string, batch: SourceBatch): Promise<{ readonly outcome: 'applied' | 'duplicate' | 'held' }> {
    return this.#request('POST', `/v1/sources/${source}/events`, batch);
  }

  async serviceClasses(): Promise<readonly ServiceClassView[]> {
    return (await this.#request<List<ServiceClassView>>('GET', '/v1/service-classes?limit=100')).items;
  }

  async clusters(): Promise<readonly ClusterHostsView[]> {
    return (await this.#request<List<ClusterHostsView>>('GET', '/v1/clusters')).items;
  }

  async nodes(): Promise<readonly NodeView[]> {
    return (await this.#request<List<NodeView>>('GET', '/v1/nodes?limit=100')).items;
  }

  computePaths(request: PathRequest): Promise<PathAnswer> {
    return this.#request('POST', '/v1/path-computations', request);
  }

  async policies(): Promise<readonly SrPolicyView[]> {
    return (await this.#request<List<SrPolicyView>>('GET', '/v1/sr-policies?limit=100')).items;
  }

  policy(id: string): Promise<SrPolicyView> {
    return this.#request('GET', `/v1/sr-policies/${encodeURIComponent(id)}`);
  }

  createPolicy(intent: SrPolicyIntent): Promise<SrPolicyView> {
    return this.#request('POST', '/v1/sr-policies', intent);
  }

  async deletePolicy(id: string): Promise<void> {
    await this.#request('DELETE', `/v1/sr-policies/${encodeURIComponent(id)}`);
  }

  async createMesh(intent: MeshIntent): Promise<void> {
    await this.#request('POST', '/v1/meshes', intent);
  }

  async replaceMesh(intent: MeshIntent): Promise<void> {
    await this.#request('PUT', `/v1/meshes/${intent.id}`, intent);
  }

  async deleteMesh(id: string): Promise<void> {
    await this.#request('DELETE', `/v1/meshes/${id}`);
  }

  async agents(): Promise<readonly AgentView[]> {
    return (await this.#request<List<AgentView>>('GET', '/v1/agents?limit=100')).items;
  }

  /** Patches the operator's constraints on a link, whatever they were. */
  async constrainLink(link: string, constraints: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#request('POST', '/v1/link-constraints/bulk', { mode: 'patch', changes: [{ link, constraints }] });
  }

  /** Patches the operator's constraints on a node, whatever they were. */
  async constrainNode(node: string, constraints: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#request('PATCH', `/v1/nodes/${node}/constraints`, constraints);
  }

  async #request<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...this.#headers,
        ...(body !== undefined && {
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        }),
        // Nobody else edits here: whatever is there is what shall be replaced.
        ...(['PUT', 'PATCH', 'DELETE'].includes(method) && { 'if-match': '*' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new RestError(`${method} ${path}`, response.status, text);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}
