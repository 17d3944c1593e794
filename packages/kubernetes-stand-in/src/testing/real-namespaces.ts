import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../model/kube-object.js';
import type { Upstream } from './upstream.js';

const NAMESPACES = '/api/v1/namespaces';
/** What tests and controllers leave in a namespace. */
const CONTENTS = ['pods', 'configmaps', 'secrets', 'events', 'serviceaccounts'];
const POLL_MS = 100;

/** Namespaces of a real API server, which may run alone: without the controllers that furnish and empty namespaces. */
export class RealNamespaces {
  readonly #upstream: Upstream;
  #controlled: Promise<boolean> | undefined;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  /** Gives it, or waits for, the account without which no pod can be made. */
  async furnish(name: string): Promise<void> {
    const path = `${NAMESPACES}/${name}/serviceaccounts`;
    if (!(await this.#hasControllers())) await this.#upstream.must('POST', path, { metadata: { name: 'default' } });
    else while ((await this.#upstream.call('GET', `${path}/default`)).code === 404) await sleep(POLL_MS);
  }

  async remove(name: string): Promise<void> {
    const path = `${NAMESPACES}/${name}`;
    const alone = !(await this.#hasControllers());
    if (alone) {
      for (const plural of CONTENTS) {
        await this.#upstream.must('DELETE', `${path}/${plural}`, { gracePeriodSeconds: 0 });
      }
    }
    const doomed = (await this.#upstream.must('DELETE', path)) as KubeObject;
    if (alone) await this.#upstream.must('PUT', `${path}/finalize`, { ...doomed, spec: { finalizers: [] } });
    else while ((await this.#upstream.call('GET', path)).code === 200) await sleep(POLL_MS);
  }

  #hasControllers(): Promise<boolean> {
    this.#controlled ??= this.#upstream
      .call('GET', `${NAMESPACES}/default/serviceaccounts/default`)
      .then(({ code }) => code === 200);
    return this.#controlled;
  }
}
