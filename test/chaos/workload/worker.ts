import { setTimeout as sleep } from 'node:timers/promises';
import type { ControllerName, PlannedOperation } from '../plan.js';
import type { Report } from '../report.js';
import type { Answer, Client, Request } from './client.js';
import { contentOf, type Content, type Entry, type Ledger } from './ledger.js';
import {
  constrainedLink,
  linkConstraints,
  meshIntent,
  policyIntent,
  type Operation,
  type Resource,
} from './operation.js';

export const ACCEPTED_OR_REFUSED = 'every request is accepted, refused as documented, or answered 503 with Retry-After';
export const READ_YOUR_WRITES = 'what was accepted is read back, through either controller';
const SOURCE = 'chaos';
/** What a client cannot do within this time it leaves: it is for a moment that has passed. */
const LATE_MS = 3_000;
const RETRY_MS = 300;
/** A controller that was cut off or stood still may show what was there before until it has looked again. */
const BEHIND_MS = 15_000;

export interface WorkerOptions {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly report: Report;
  readonly agents: readonly string[];
  readonly url: (controller: ControllerName) => string;
}

/** Carries operations out, one after the other in each lane, and writes down what it was told became of them. */
export class Worker {
  readonly #options: WorkerOptions;
  /** How many things a slot has had. */
  readonly #lives = new Map<string, number>();
  #sequence = 0;
  /** Of the source: until its outcome is known, the source says nothing else. */
  #pending: { readonly link: string; readonly state: 'up' | 'down' } | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  async run(operations: readonly PlannedOperation[], begunAt: number, signal: AbortSignal): Promise<void> {
    const lanes = new Set(operations.map(({ lane }) => lane));
    await Promise.all(
      [...lanes].map(async (lane) => {
        for (const planned of operations) {
          if (planned.lane !== lane) continue;
          const early = begunAt + planned.atMs - performance.now();
          if (early > 0) await sleep(early, undefined, { signal }).catch(() => undefined);
          if (signal.aborted) return;
          if (early > -LATE_MS) await this.#carryOut(planned.operation, planned.via);
        }
      }),
    );
  }

  /** Until the source has been told what became of its last batch. */
  async settleSource(): Promise<void> {
    while (this.#pending !== undefined) {
      await this.#sayPending('controller-a');
      await sleep(RETRY_MS);
    }
  }

  async #carryOut(operation: Operation, via: ControllerName): Promise<void> {
    switch (operation.kind) {
      case 'put':
        return this.#put(operation, via);
      case 'delete':
        return this.#delete(operation, via);
      case 'refused':
        return this.#askForNonsense(operation.variant, via);
      case 'link-state':
        if (this.#pending !== undefined) await this.#sayPending(via);
        if (this.#pending !== undefined) return;
        this.#pending = { link: operation.link, state: operation.state };
        this.#sequence += 1;
        return this.#sayPending(via);
    }
  }

  async #put(
    { resource, slot, variant }: { readonly resource: Resource; readonly slot: number; readonly variant: number },
    via: ControllerName,
  ): Promise<void> {
    const target = this.#target(resource, slot, variant);
    if (target === undefined) return;
    const { entry, intent } = target;
    const read = await this.#read(entry, via);
    if (read === undefined) return;
    const content = contentOf(intent);
    if (read.content === content) return;
    const creates = read.content === null && resource !== 'link-constraints';
    const request: Request = creates
      ? { method: 'POST', path: resource === 'policy' ? '/v1/sr-policies' : '/v1/meshes', body: intent }
      : { method: 'PUT', path: entry.path, body: intent, ifMatch: read.etag };
    const answer = await this.#write(entry, request, content, via);
    if (isUnknown(answer) && creates) await this.#repeat(entry, request, content, via);
  }

  async #delete(
    { resource, slot }: { readonly resource: Resource; readonly slot: number },
    via: ControllerName,
  ): Promise<void> {
    const target = this.#target(resource, slot, 0);
    if (target === undefined) return;
    const { entry } = target;
    const read = await this.#read(entry, via);
    if (read === undefined || read.content === null) return;
    await this.#write(entry, { method: 'DELETE', path: entry.path, ifMatch: read.etag }, null, via);
  }

  /** What is in the slot now. undefined: nothing may be written to it before all is settled. */
  #target(resource: Resource, slot: number, variant: number): { entry: Entry; intent: unknown } | undefined {
    const { agents } = this.#options;
    if (resource === 'link-constraints') {
      const link = constrainedLink(slot);
      const entry = this.#options.ledger.entry(resource, link, `/v1/links/${link}/constraints`);
      return entry.leftIn !== null ? undefined : { entry, intent: linkConstraints(variant) };
    }
    const name = `${resource} ${slot}`;
    const life = this.#lives.get(name) ?? 0;
    const { intent, entry } = this.#named(resource, slot, life, variant, agents);
    if (entry.leftIn === null) return { entry, intent };
    this.#lives.set(name, life + 1);
    return this.#named(resource, slot, life + 1, variant, agents);
  }

  #named(
    resource: 'policy' | 'mesh',
    slot: number,
    life: number,
    variant: number,
    agents: readonly string[],
  ): { entry: Entry; intent: unknown } {
    const { ledger } = this.#options;
    if (resource === 'policy') {
      const intent = policyIntent(agents, slot, life, variant);
      const id = `${intent.headend}:${intent.color}:${intent.endpoint}`;
      return { intent, entry: ledger.entry(resource, id, `/v1/sr-policies/${id}`) };
    }
    const intent = meshIntent(agents, slot, life, variant);
    return { intent, entry: ledger.entry(resource, intent.id, `/v1/meshes/${intent.id}`) };
  }

  /** What the API says is there. undefined: it says nothing. */
  async #read(
    entry: Entry,
    via: ControllerName,
  ): Promise<{ readonly content: Content; readonly etag: string } | undefined> {
    const { client, url, report } = this.#options;
    const until = performance.now() + BEHIND_MS;
    for (;;) {
      const answer = await client.send(url(via), { method: 'GET', path: entry.path });
      if (answer.kind === 'unknown' || (answer.status !== 200 && answer.status !== 404)) return undefined;
      const content = answer.status === 404 ? null : contentOfView(entry.resource, answer.body);
      const isRight = entry.possible.includes(content);
      if (!isRight && performance.now() < until) {
        await sleep(RETRY_MS);
        continue;
      }
      const wrong = `${via} shows ${entry.path} as ${content}; it may be ${entry.possible.join(' or ')}`;
      report.check(READ_YOUR_WRITES, 1, isRight ? [] : [wrong]);
      return { content, etag: answer.etag ?? '' };
    }
  }

  async #write(entry: Entry, request: Request, content: Content, via: ControllerName): Promise<Answer> {
    const { client, url } = this.#options;
    const answer = await client.send(url(via), request);
    if (answer.kind === 'unknown' || isUnknown(answer)) {
      entry.possible = [...new Set([...entry.possible, content])];
      this.#options.ledger.leave(entry);
    } else if (answer.status < 300) {
      entry.possible = [content];
      this.#options.ledger.accept(answer.requestId, `${request.method} ${request.path}`);
    } else {
      this.#refuse(answer, request);
    }
    return answer;
  }

  /** A creation may be sent again: whatever became of the first, the thing is there afterwards. */
  async #repeat(entry: Entry, request: Request, content: Content, via: ControllerName): Promise<void> {
    const { client, url } = this.#options;
    const answer = await client.send(url(via === 'controller-a' ? 'controller-b' : 'controller-a'), request);
    if (answer.kind === 'answer' && answer.status < 300) entry.possible = [content];
  }

  #refuse(answer: Extract<Answer, { kind: 'answer' }>, { method, path }: Request): void {
    const what = `${method} ${path}`;
    if (answer.requestId !== null) this.#options.ledger.refused.push({ requestId: answer.requestId, what });
    // Nobody else writes here, and what is asked for is right: there is no reason to refuse it but an outage.
    const isOutage = answer.status === 503;
    this.#options.report.check(
      ACCEPTED_OR_REFUSED,
      1,
      isOutage ? [] : [`${what} is answered ${answer.status}: ${JSON.stringify(answer.body)}`],
    );
  }

  async #askForNonsense(variant: number, via: ControllerName): Promise<void> {
    const { client, url, report, ledger, agents } = this.#options;
    const request = nonsense(variant, agents);
    const answer = await client.send(url(via), request);
    if (answer.kind === 'unknown') return;
    if (answer.requestId !== null) ledger.refused.push({ requestId: answer.requestId, what: request.path });
    const isRefused = answer.status === 503 || (answer.status >= 400 && answer.status < 500);
    report.check(
      ACCEPTED_OR_REFUSED,
      1,
      isRefused ? [] : [`nonsense for ${request.path} is answered ${answer.status}`],
    );
  }

  async #sayPending(via: ControllerName): Promise<void> {
    const pending = this.#pending;
    if (pending === undefined) return;
    const { client, url, ledger, report } = this.#options;
    const answer = await client.send(url(via), {
      method: 'POST',
      path: `/v1/sources/${SOURCE}/events`,
      body: { sequence: this.#sequence, full: false, events: [{ kind: 'link-state', ...pending }] },
    });
    if (answer.kind === 'unknown' || answer.status === 503) return;
    const { outcome, revision } = answer.body as { readonly outcome?: string; readonly revision?: number };
    const isTaken = outcome === 'applied' || outcome === 'duplicate';
    report.check(
      ACCEPTED_OR_REFUSED,
      1,
      isTaken ? [] : [`a batch of events is answered ${JSON.stringify(answer.body)}`],
    );
    this.#pending = undefined;
    if (!isTaken) return;
    ledger.linkStates.set(pending.link, pending.state);
    if (revision !== undefined) ledger.revisions.add(revision);
  }
}

/** Also a controller may not know what became of a change. */
function isUnknown(answer: Answer): boolean {
  if (answer.kind === 'unknown') return true;
  return answer.status === 503 && (answer.body as { readonly code?: string }).code === 'outcome-unknown';
}

/** The intent in what the API shows of a resource. */
export function contentOfView(resource: Resource, view: unknown): Content {
  if (resource !== 'link-constraints') return contentOf((view as { readonly intent: unknown }).intent);
  const { constraints } = view as { readonly constraints: object };
  return Object.keys(constraints).length === 0 ? null : contentOf(constraints);
}

function nonsense(variant: number, agents: readonly string[]): Request {
  const policy = policyIntent(agents, 0, 0, 0);
  const requests: readonly Request[] = [
    { method: 'POST', path: '/v1/sr-policies', body: { ...policy, endpoint: 'atlantis' } },
    { method: 'POST', path: '/v1/sr-policies', body: { ...policy, color: 0 } },
    { method: 'POST', path: '/v1/meshes', body: { ...meshIntent(agents, 0, 0, 0), id: 'nonsense', waypoint: 'UK' } },
    { method: 'PUT', path: '/v1/links/FR:XX/constraints', body: { delayUs: 1 }, ifMatch: '*' },
  ];
  return requests[variant % requests.length] ?? { method: 'POST', path: '/v1/sr-policies', body: {} };
}
