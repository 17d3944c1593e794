import { startApiServer, type NewObject } from '../api-server.js';
import type { Calls } from '../http/calls.js';
import type { Faults } from '../http/faults.js';
import type { Grant } from '../http/users.js';
import type { KubeObject } from '../model/kube-object.js';

type Awaitable<T> = T | Promise<T>;

/** An API server for one test. What the test did not make is not there for it, as if the server were its own. */
export interface TestApiServer {
  readonly url: string;
  /** A kubeconfig (YAML) of a user who may do everything. */
  readonly kubeconfig: string;
  /** A real server can do all of them but `bookmark`. */
  readonly faults: Faults;
  readonly calls: Calls;
  /** How many watches are open. */
  readonly watches: number;
  /** A kubeconfig of a new user who may do what the rules allow, and nothing else. */
  addUser(name: string, grants: readonly Grant[]): Awaitable<string>;
  /** With its `status`, if the body has one. */
  create(body: NewObject): Awaitable<KubeObject>;
  /** Whatever its resourceVersion. */
  replace(body: NewObject): Awaitable<KubeObject>;
  /** @returns whether it is gone: finalizers may hold it */
  delete(apiVersion: string, kind: string, name: string, namespace?: string): Awaitable<boolean>;
  find(apiVersion: string, kind: string, name: string, namespace?: string): Awaitable<KubeObject | undefined>;
  /** All of a kind; of events those about other objects of the test. */
  list(apiVersion: string, kind: string): Awaitable<readonly KubeObject[]>;
  /** Takes away what the test made, but for definitions. */
  close(): Promise<void>;
}

/**
 * A stand-in; when TEST_KUBECONFIG names a real server, that one, behind a proxy that keeps tests apart and injects faults.
 *
 * @param definitions CustomResourceDefinitions that are served. A real server keeps those that it has.
 */
export async function openApiServer(definitions: readonly NewObject[] = []): Promise<TestApiServer> {
  const real = process.env['TEST_KUBECONFIG'] ?? '';
  if (real === '') return startApiServer({ definitions });
  const { RealApiServer } = await import('./real-api-server.js');
  return RealApiServer.open(real, definitions);
}
