import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { customResourceDefinition, customResourceKinds, srv6ConfigNamespace } from '@waymark/kubernetes-resources';
import { calicoDefinitions, startApiServer, type ApiServer, type NewObject } from '@waymark/kubernetes-stand-in';
import { sql } from 'kysely';
import { eventually } from '../../../apps/controller/src/testing/eventually.js';
import { startFilledSystem, type FilledSystem } from '../http/filled-system.js';
import { standing } from './hostile-objects.js';
import { collectionPath, matchOf, resources, SHOP, type Kind } from './resources.js';
import { attachedNode, block, configMap, namespace, object, pod, pool, specs } from './valid-objects.js';

const definitions = [...calicoDefinitions, ...customResourceKinds.map(customResourceDefinition)];
const PATIENCE_MS = 60_000;

/** A filled system that follows two clusters: one that hostile things come from, and one that has no part in it. */
export class FuzzedClusters {
  readonly #agent = new Agent({ rejectUnauthorized: false, keepAlive: true, maxSockets: 2 });
  readonly #token: string;

  private constructor(
    readonly system: FilledSystem,
    readonly server: ApiServer,
    readonly other: ApiServer,
    private readonly folder: string,
  ) {
    this.#token = /token: (\S+)/.exec(server.kubeconfig)?.[1] ?? '';
  }

  static async start(): Promise<FuzzedClusters> {
    const [server, other] = [await startApiServer({ definitions }), await startApiServer({ definitions })];
    for (const one of steadyObjects) server.create(one);
    for (const one of [attachedNode('oslo', 90), block('oslo', 'oslo', '172.21.1.0/26'), pool('pods', '172.21.0.0/16')])
      other.create(one);
    const folder = await mkdtemp(join(tmpdir(), 'waymark-fuzz-clusters-'));
    const file = join(folder, 'clusters.json');
    const kubeconfig = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const paris = {
      ...{ name: 'paris', kubeconfig: await kubeconfig('paris', server.kubeconfig), nodeIdPrefix: 'dc-' },
      ...{ resources: true, configMaps: 'read', serviceClasses: true },
    };
    const rome = { name: 'rome', kubeconfig: await kubeconfig('rome', other.kubeconfig), nodeIdPrefix: 'rome-' };
    // Without grace, what is withdrawn by mistake is seen to be.
    const graces = { nodeGraceSeconds: 0, prefixGraceSeconds: 0 };
    await writeFile(file, JSON.stringify({ clusters: [paris, rome], ...graces }));
    const system = await startFilledSystem({ WAYMARK_KUBERNETES: file });
    return new FuzzedClusters(system, server, other, folder);
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.system.stop();
    await this.server.close();
    await this.other.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Asks the API server for something, as a user may; with a name, of that object. */
  async send(
    method: 'POST' | 'PUT',
    kind: Kind,
    body: string,
    name?: string,
  ): Promise<{ status: number; text: string }> {
    const path = collectionPath(resources[kind]) + (name === undefined ? '' : `/${name}`);
    const headers = {
      ...{ authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      'content-length': Buffer.byteLength(body),
    };
    return new Promise((resolve, reject) => {
      const sent = request(this.server.url + path, { method, agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** Replaces an object, or makes it. */
  put(one: NewObject): void {
    const { apiVersion, kind, metadata } = one;
    if (this.server.find(apiVersion, kind, metadata?.name ?? '', metadata?.namespace) === undefined)
      this.server.create(one);
    else this.server.replace(one);
  }

  find(kind: Kind, name: string) {
    const { apiVersion, namespace: home } = resources[kind];
    return this.server.find(apiVersion, kind, name, home);
  }

  remove(kind: Kind, name: string, home = (resources[kind] as { readonly namespace?: string }).namespace): void {
    const { apiVersion } = resources[kind];
    if (this.server.find(apiVersion, kind, name, home) !== undefined) this.server.delete(apiVersion, kind, name, home);
  }

  /** What the controller says of an object of ours in its present generation; waits until it has said something. */
  async accepted(kind: Kind, name: string): Promise<Accepted> {
    let found: Accepted | undefined;
    await eventually(() => {
      const one = this.find(kind, name) as Told | undefined;
      const condition = one?.status?.conditions?.find(({ type }) => type === 'Accepted');
      found = condition?.observedGeneration === one?.metadata.generation ? condition : undefined;
      return found !== undefined;
    }, PATIENCE_MS);
    if (found === undefined) throw new Error(`${kind} ${name} is told nothing`);
    return found;
  }

  /** The controller follows the resource, and has no trouble with it that would make it wait. */
  async follows(kind: Kind): Promise<void> {
    const match = matchOf(resources[kind]);
    await eventually(() => this.server.faults.endWatches(match) > 0, PATIENCE_MS);
  }

  /** What the hostile cluster's own objects have made, and what the other's; each row with when it was written. */
  async steady(): Promise<string> {
    const { rows } = await sql<{ row: string }>`
      select 'node ' || n::text as row from node_layer n
        where source like 'kubernetes:%' and to_revision is null and node_id = any(${steadyHosts}) union all
      select 'link ' || l::text from link_layer l where source like 'kubernetes:%' and to_revision is null
        and (from_node = any(${steadyHosts}) or to_node = any(${steadyHosts})) union all
      select 'owned ' || o::text from owned_object o where owner like 'kubernetes:%/steady' or owner like '%-london'
        or owner like 'kubernetes:%/standing' union all
      select 'policy ' || p::text from sr_policy p join owned_object o on o.id = p.id and o.kind = 'policy'
        where owner like 'kubernetes:%/steady' or owner like '%-london' union all
      select 'path ' || c::text from candidate_path c join owned_object o on o.id = c.policy_id and o.kind = 'policy'
        where o.owner like 'kubernetes:%/steady' or o.owner like '%-london' union all
      select 'mesh ' || m::text from mesh m join owned_object o on o.id = m.id and o.kind = 'mesh'
        where o.owner like 'kubernetes:%/steady' union all
      select 'constraint ' || l::text from link_layer l join owned_object o on o.id = l.link_id
        and o.kind = 'link-constraints' where l.layer = 'operator' and l.to_revision is null
        and o.owner like 'kubernetes:%/steady' union all
      select 'member ' || m::text from class_member m where pod = 'steady'
    `.execute(this.system.database.db);
    return rows
      .map(({ row }) => row)
      .toSorted()
      .join('\n');
  }
}

interface Accepted {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

interface Told {
  readonly metadata: { readonly generation?: number };
  readonly status?: { readonly conditions?: readonly Accepted[] };
}

const steadyHosts = ['dc-london', 'dc-athens', 'dc-amsterdam', 'dc-frankfurt', 'dc-extra', 'rome-oslo'];

function demoNode(name: string, number: number): NewObject {
  const annotations = { 'projectcalico.org/IPv6Address': `fd00:ffff:1:${number}::1/64` };
  return object('Node', name, {}, { annotations });
}

/** What must be there whatever comes. */
const steadyObjects: readonly NewObject[] = [
  ...[srv6ConfigNamespace].map((name) => object('Namespace', name, {})),
  namespace(SHOP, '200'),
  demoNode('amsterdam', 1),
  demoNode('athens', 2),
  demoNode('frankfurt', 3),
  demoNode('london', 4),
  attachedNode('extra', 1),
  pool('ipv4', '10.0.0.0/8'),
  pool('ipv6', 'fd00::/16'),
  ...['1', '2', '3', '4'].map((n, i) =>
    block(`b${n}`, ['amsterdam', 'athens', 'frankfurt', 'london'][i] ?? '', `10.${n}.0.0/16`),
  ),
  block('extra-4', 'extra', '10.44.0.0/26'),
  block('extra-6', 'extra', 'fd00:44::/64'),
  object('IPAMBlock', 'extra', {
    spec: {
      ...{ cidr: '10.45.0.0/26', affinity: 'host:london', allocations: [0], strictAffinity: false, unallocated: [] },
      attributes: [{ handle_id: 'a', secondary: { node: 'extra', pod: 'borrower' } }],
    },
  }),
  configMap('london', ['fcbb:bb00:8:1::']),
  pod('steady', '10.4.0.9', {}),
  object('PathProfile', 'steady', { spec: specs.PathProfile({ color: 1, maxDelayUs: 70_000, links: [] }) }),
  object('SRPolicy', 'steady', {
    spec: {
      headend: 'dc-london',
      color: 920,
      endpoint: 'dc-athens',
      profile: 'steady',
      steeredPrefixes: ['10.67.0.0/16'],
    },
  }),
  object('PolicyMesh', 'steady', {
    spec: { color: 921, selector: { nodes: ['dc-london', 'dc-madrid', 'dc-extra'] }, profile: 'steady' },
  }),
  object('LinkConstraint', 'steady', { spec: { links: ['UK:FR', 'FR:UK'], constraints: { delayUs: 4_321 } } }),
  ...Object.values(standing),
];
