import { randomBytes } from 'node:crypto';
import { request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { startApiServer, type ApiServer } from '../api-server.js';
import type { ObjectMeta } from '../model/kube-object.js';
import type { Schema } from '../schema/schema.js';
import { RealNamespaces } from './real-namespaces.js';
import { Upstream } from './upstream.js';

/** An object, a list or a Status as it was answered. What a test reads and is not there fails the test. */
export interface Shown {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta & { readonly continue?: string; readonly remainingItemCount?: number };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly items: readonly Shown[];
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Reply {
  readonly code: number;
  readonly body: Shown;
  readonly headers: IncomingMessage['headers'];
}

export interface CallOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Shown;
}

/** A resource that a test defined. */
export interface Defined {
  readonly group: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** Path of its collection in the test's namespace. */
  readonly path: string;
  /** A new object of it with this name and these fields. */
  readonly object: (name: string, fields?: object) => object;
}

export interface Definition {
  readonly spec: Schema;
  readonly status?: Schema;
  /** More fields of the version. */
  readonly version?: object;
}

const suffix = (): string => randomBytes(4).toString('hex');

/**
 * The cluster that the protocol suites run against: the stand-in, or the real one that TEST_KUBECONFIG names. Each suite
 * has its own namespace and its own API groups there, and takes them away at the end.
 */
export class Cluster {
  readonly kubeConfig: KubeConfig;
  readonly namespace = `conformance-${suffix()}`;
  /** Undefined when the cluster is a real one. */
  readonly standIn: ApiServer | undefined;
  readonly #definitions: string[] = [];

  private constructor(kubeConfig: KubeConfig, standIn: ApiServer | undefined) {
    this.kubeConfig = kubeConfig;
    this.standIn = standIn;
  }

  static async open(): Promise<Cluster> {
    const real = process.env['TEST_KUBECONFIG'] ?? '';
    const kubeConfig = new KubeConfig();
    if (real !== '') kubeConfig.loadFromFile(real);
    const standIn = real === '' ? await startApiServer() : undefined;
    if (standIn !== undefined) kubeConfig.loadFromString(standIn.kubeconfig);
    return Cluster.of(kubeConfig, standIn);
  }

  static async of(kubeConfig: KubeConfig, standIn?: ApiServer): Promise<Cluster> {
    const cluster = new Cluster(kubeConfig, standIn);
    await cluster.post('/api/v1/namespaces', { metadata: { name: cluster.namespace } });
    return cluster;
  }

  async close(): Promise<void> {
    for (const name of this.#definitions) await this.call('DELETE', `${DEFINITIONS}/${name}`);
    if (this.standIn !== undefined) return this.standIn.close();
    const upstream = await Upstream.of(this.kubeConfig);
    await new RealNamespaces(upstream).remove(this.namespace);
    upstream.close();
  }

  async call(method: string, path: string, { body, contentType, accept }: CallOptions = {}): Promise<Reply> {
    const response = await this.#open(method, path, body, {
      'content-type': contentType ?? 'application/json',
      accept: accept ?? 'application/json',
      'user-agent': 'conformance/1',
    });
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    const isJson = response.headers['content-type']?.startsWith('application/json') === true;
    return {
      code: response.statusCode ?? 0,
      body: (isJson ? JSON.parse(text) : text) as Shown,
      headers: response.headers,
    };
  }

  /** GETs what must be there. */
  async get(path: string): Promise<Shown> {
    return succeeded(await this.call('GET', path));
  }

  /** Creates what must succeed. */
  async post(path: string, body: unknown): Promise<Shown> {
    return succeeded(await this.call('POST', path, { body }));
  }

  async put(path: string, body: unknown): Promise<Shown> {
    return succeeded(await this.call('PUT', path, { body }));
  }

  async mergePatch(path: string, body: unknown): Promise<Reply> {
    return this.call('PATCH', path, { body, contentType: 'application/merge-patch+json' });
  }

  async apply(path: string, manager: string, body: unknown, more = ''): Promise<Reply> {
    const contentType = 'application/apply-patch+yaml';
    return this.call('PATCH', `${path}?fieldManager=${manager}${more}`, { body, contentType });
  }

  /** Opens a watch; `query` without `watch=true`. */
  async watch(path: string, query: string): Promise<WatchStream> {
    const response = await this.#open('GET', `${path}?watch=true&${query}`, undefined, { accept: 'application/json' });
    return new WatchStream(response);
  }

  /** Defines a resource with a status subresource, and waits until it is served. */
  async define({ spec, status = { type: 'object' }, version = {} }: Definition): Promise<Defined> {
    const group = `g${suffix()}.conformance.test`;
    const definition = definitionOf(group, spec, status, version);
    await this.post(DEFINITIONS, definition);
    this.#definitions.push(definition.metadata.name);
    const apiVersion = `${group}/v1`;
    const path = `/apis/${apiVersion}/namespaces/${this.namespace}/widgets`;
    while ((await this.call('GET', path)).code !== 200) await sleep(20);
    const object = (name: string, fields: object = {}): object => ({
      ...{ apiVersion, kind: 'Widget', metadata: { name, namespace: this.namespace } },
      ...fields,
    });
    return { group, apiVersion, kind: 'Widget', plural: 'widgets', path, object };
  }

  async #open(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<IncomingMessage> {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const length = { 'content-length': String(Buffer.byteLength(text)) };
    const options: RequestOptions = { method, headers: { ...headers, ...(text === '' ? {} : length) } };
    await this.kubeConfig.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]);
    const server = this.kubeConfig.getCurrentCluster()?.server ?? '';
    return new Promise((resolve, reject) => {
      const sent = request(`${server}${path}`, options, resolve);
      sent.on('error', reject);
      sent.end(text);
    });
  }
}

export const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** A definition of widgets in a group. */
export function definitionOf(
  group: string,
  spec: Schema,
  status: Schema,
  version: object = {},
): { readonly metadata: { readonly name: string }; readonly [field: string]: unknown } {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
      versions: [
        {
          ...{ name: 'v1', served: true, storage: true, subresources: { status: {} } },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec, status } } },
          ...version,
        },
      ],
    },
  };
}

function succeeded({ code, body }: Reply): Shown {
  if (code >= 300) throw new Error(`${code}: ${JSON.stringify(body)}`);
  return body;
}

/** The events of one watch, in order. */
export class WatchStream {
  readonly #response: IncomingMessage;
  readonly #lines: AsyncIterator<string>;

  constructor(response: IncomingMessage) {
    this.#response = response;
    this.#lines = createInterface({ input: response })[Symbol.asyncIterator]();
  }

  get code(): number {
    return this.#response.statusCode ?? 0;
  }

  /** The next event; undefined when the server ended the watch. */
  async next(): Promise<WatchEvent | undefined> {
    const line = await this.#lines.next();
    return line.done === true ? undefined : (JSON.parse(line.value) as WatchEvent);
  }

  /** The next event that is no bookmark. */
  async change(): Promise<WatchEvent | undefined> {
    for (;;) {
      const event = await this.next();
      if (event?.type !== 'BOOKMARK') return event;
    }
  }

  close(): void {
    this.#response.destroy();
  }
}
