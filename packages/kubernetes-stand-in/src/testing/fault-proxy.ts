import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { befall } from '../http/befall.js';
import { readBody } from '../http/body.js';
import { Calls, matches, type CallMatch } from '../http/calls.js';
import { Faults } from '../http/faults.js';
import { kubeconfigOf } from '../http/kubeconfig.js';
import { Listener } from '../http/listener.js';
import { readRequest, type RequestInfo } from '../http/request-info.js';
import type { Answer } from '../http/resource-handler.js';
import { ApiError } from '../model/api-error.js';
import { expiredEvent, ForwardedWatch } from './forwarded-watch.js';
import type { Upstream } from './upstream.js';

export interface Scope {
  /** Lists and watches over all namespaces, or of what is in none, show only objects that this selects. */
  readonly labelSelector: string;
  /** Groups of custom resources that are there. */
  readonly groups: ReadonlySet<string>;
}

const FORWARDED = ['accept', 'authorization', 'content-type', 'user-agent'];

/** A proxy in front of a real API server: it shows one test's objects only, counts calls, and fails on demand. */
export class FaultProxy extends Listener {
  readonly calls = new Calls();
  readonly faults: Faults;
  readonly #upstream: Upstream;
  readonly #scope: Scope;
  readonly #adminToken = randomBytes(16).toString('hex');
  readonly #watches = new Set<ForwardedWatch>();
  #stalls: CallMatch[] = [];
  /** Watches cannot resume from before this resourceVersion. */
  #gone: Promise<bigint> = Promise.resolve(0n);

  constructor(upstream: Upstream, scope: Scope) {
    super();
    this.#upstream = upstream;
    this.#scope = scope;
    const each = (match: CallMatch, act: (watch: ForwardedWatch) => void): number => {
      const meant = [...this.#watches].filter(({ info, isEnding }) => !isEnding && matches(info, match));
      for (const watch of meant) act(watch);
      return meant.length;
    };
    this.faults = new Faults({
      goDown: () => this.stop(),
      comeUp: () => this.listen(),
      dropWatches: (match) => each(match, (watch) => watch.break()),
      endWatches: (match) => each(match, (watch) => watch.end()),
      stallWatches: (match) => {
        this.#stalls.push(match);
        each(match, (watch) => watch.stall());
      },
      resumeWatches: () => {
        this.#stalls = [];
        for (const watch of this.#watches) watch.resume();
      },
      expireWatches: (match) => each(match, (watch) => watch.expire()),
      sendToWatches: (text, match) => each(match, (watch) => watch.write(text)),
      bookmark: () => {
        throw new RangeError('a real API server sends bookmarks when it likes');
      },
      compact: () => {
        this.#gone = this.#resourceVersion();
        // Told to the watches that wait for it.
        this.#gone.catch(() => undefined);
      },
    });
  }

  get watches(): number {
    return this.#watches.size;
  }

  get kubeconfig(): string {
    return this.kubeconfigOf('admin', this.#adminToken);
  }

  kubeconfigOf(user: string, token: string): string {
    return kubeconfigOf({ url: this.url, authority: this.certificate.cert, user, token });
  }

  protected override async answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | undefined> {
    const info = readRequest(request.method ?? 'GET', request.url ?? '/');
    this.calls.note(info);
    const { text } = await readBody(request);
    const fault = this.faults.next(info);
    if (!(await befall(fault, response))) return undefined;
    if (this.#isHidden(info)) {
      throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
    }
    if (info.verb === 'watch' && (await this.#isGone(info))) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(expiredEvent);
      return undefined;
    }
    const answer = await this.#forward(request, info, text);
    if (fault?.kind === 'lost-answer') {
      answer.destroy();
      response.destroy();
      return undefined;
    }
    response.writeHead(answer.statusCode ?? 502, told(answer));
    if (info.verb === 'watch' && answer.statusCode === 200) this.#follow(info, answer, response);
    else {
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    }
    return undefined;
  }

  #follow(info: RequestInfo, answer: IncomingMessage, response: ServerResponse): void {
    response.flushHeaders();
    const watch = new ForwardedWatch(info, answer, response);
    if (this.#stalls.some((match) => matches(info, match))) watch.stall();
    this.#watches.add(watch);
    response.on('close', () => {
      answer.destroy();
      this.#watches.delete(watch);
    });
  }

  #forward(request: IncomingMessage, info: RequestInfo, text: string): Promise<IncomingMessage> {
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => FORWARDED.includes(name)),
    ) as Record<string, string>;
    const isAdmin = headers['authorization'] === `Bearer ${this.#adminToken}`;
    if (isAdmin) delete headers['authorization'];
    const { method = 'GET' } = request;
    const sent = { method, path: this.#pathOf(info), headers, ...(text === '' ? {} : { body: text }) };
    return isAdmin ? this.#upstream.asAdmin(sent) : this.#upstream.asTold(sent);
  }

  #pathOf({ verb, path, query, target }: RequestInfo): string {
    const asked = new URLSearchParams(query);
    if ((verb === 'list' || verb === 'watch') && target?.namespace === undefined) {
      const selectors = [asked.get('labelSelector') ?? '', this.#scope.labelSelector];
      asked.set('labelSelector', selectors.filter((selector) => selector !== '').join(','));
    }
    return asked.size === 0 ? path : `${path}?${asked.toString()}`;
  }

  #isHidden({ path }: RequestInfo): boolean {
    const [, root, group = ''] = path.split('/');
    const isCustom = root === 'apis' && group.includes('.') && !group.endsWith('.k8s.io');
    return isCustom && !this.#scope.groups.has(group);
  }

  async #isGone({ query }: RequestInfo): Promise<boolean> {
    const from = query.get('resourceVersion') ?? '0';
    return from !== '0' && BigInt(from) < (await this.#gone);
  }

  async #resourceVersion(): Promise<bigint> {
    const list = (await this.#upstream.must('GET', '/api/v1/namespaces?limit=1')) as {
      readonly metadata: { readonly resourceVersion: string };
    };
    return BigInt(list.metadata.resourceVersion);
  }
}

function told({ headers }: IncomingMessage): Record<string, string | string[]> {
  const names = ['content-type', 'retry-after', 'warning', 'cache-control'];
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string | string[]] => names.includes(entry[0])),
  );
}
