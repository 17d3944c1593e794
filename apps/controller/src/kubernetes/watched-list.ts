import { isDeepStrictEqual } from 'node:util';
import { FollowingAbort } from '../model/following-abort.js';
import { pause } from '../model/pause.js';
import { KubernetesError, type ApiClient, type WatchEvent } from './api-client.js';

/** What every object has. */
export interface KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export interface WatchedListOptions<Held = KubernetesObject> {
  readonly client: ApiClient;
  /** Such as `/api/v1/nodes`. */
  readonly path: string;
  /** Only objects with this label, whatever its value. */
  readonly label?: string;
  /** What of an object is held; all of it unless said. Where these parts stay equal, nothing has changed. */
  readonly parts?: (object: KubernetesObject) => Held;
  /** One object came, changed or went; or all were listed anew, and nothing is named. */
  readonly onChange: (object?: KubernetesObject) => void;
  /** It is not up to date, for this reason; null: it is again. */
  readonly onTrouble: (trouble: KubernetesError | null) => void;
  readonly timing?: Partial<WatchTiming>;
}

/** All in milliseconds. */
export interface WatchTiming {
  /** The server is asked to end a watch after this. */
  readonly watchMs: number;
  /** One that goes on for so much longer has stalled. */
  readonly stallMs: number;
  /** Everything is listed anew after this, whatever the watch says. */
  readonly relistMs: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
}

export const defaultTiming: WatchTiming = {
  watchMs: 240_000,
  stallMs: 15_000,
  relistMs: 600_000,
  firstRetryMs: 500,
  maxRetryMs: 30_000,
};

const PAGE_SIZE = 500;

/**
 * The objects of one resource, as its API server lists and watches them.
 *
 *   list (all pages, or nothing) ─► watch from there ─► again, from the last resourceVersion ─► …
 *                ▲                     │ 410 Gone, nonsense, stalled, or `relistMs` over
 *                └─────────────────────┘
 *
 * What it holds is never less than what the server last said completely: while the server is away, answers an error or
 * nonsense, everything stays.
 */
export class WatchedList<Held = KubernetesObject> {
  readonly #options: WatchedListOptions<Held>;
  readonly #partsOf: (object: KubernetesObject) => Held;
  readonly #timing: WatchTiming;
  readonly #stopped = new AbortController();
  #objects: Map<string, Held> | undefined;
  #running: Promise<void> | undefined;

  constructor(options: WatchedListOptions<Held>) {
    this.#options = options;
    this.#partsOf = options.parts ?? ((object) => object as Held);
    this.#timing = { ...defaultTiming, ...options.timing };
  }

  /** undefined until everything was listed for the first time. */
  get objects(): Iterable<Held> | undefined {
    return this.#objects?.values();
  }

  get(name: string, namespace = ''): Held | undefined {
    return this.#objects?.get(`${namespace}/${name}`);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  async #run(): Promise<void> {
    const { onTrouble } = this.#options;
    let retryMs = this.#timing.firstRetryMs;
    let version: string | undefined;
    let listedAt = 0;
    let troubled = false;
    while (!this.#isStopped()) {
      try {
        if (version === undefined || performance.now() - listedAt >= this.#timing.relistMs) {
          version = await this.#list();
          listedAt = performance.now();
        }
        if (troubled) onTrouble(null);
        troubled = false;
        version = await this.#watch(version);
        retryMs = this.#timing.firstRetryMs;
      } catch (error) {
        if (this.#isStopped()) return;
        if (!(error instanceof KubernetesError)) throw error;
        const gone = error.isExpired && version !== undefined;
        version = undefined;
        // A server that has forgotten the version is not in trouble, unless it says so of every list, too.
        if (gone) continue;
        troubled = true;
        onTrouble(error);
        await pause(Math.max(retryMs, error.retryAfterMs ?? 0) * (1 + Math.random() / 2), this.#stopped.signal);
        retryMs = Math.min(retryMs * 2, this.#timing.maxRetryMs);
      }
    }
  }

  #held(object: KubernetesObject): Held {
    try {
      return this.#partsOf(object);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw nonsense(this.#options.path, `an object ${object.metadata.name} that cannot be read (${why})`);
    }
  }

  /** Lists everything. Returns the resourceVersion to watch from. */
  async #list(): Promise<string> {
    const { client, path, label } = this.#options;
    const listed = new Map<string, Held>();
    let page: ListPage | undefined;
    do {
      const query = { limit: PAGE_SIZE, continue: page?.next, labelSelector: label };
      page = readPage(await client.get(path, query), path);
      for (const object of page.items) listed.set(keyOf(object), this.#held(object));
    } while (page.next !== undefined && !this.#isStopped());
    if (this.#isStopped()) return page.version;
    this.#objects = listed;
    this.#options.onChange();
    return page.version;
  }

  /** Follows changes until the server ends the watch. Returns the resourceVersion to go on from. */
  async #watch(from: string): Promise<string> {
    const { client, path, label, onChange } = this.#options;
    const { watchMs, stallMs } = this.#timing;
    let version = from;
    const query = {
      ...{ resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds: Math.ceil(watchMs / 1_000) },
      labelSelector: label,
    };
    const end = new FollowingAbort(this.#stopped.signal);
    const stalled = setTimeout(() => {
      end.abort();
    }, watchMs + stallMs);
    try {
      await client.watch(
        path,
        query,
        (event) => {
          version = this.#apply(event, path, onChange);
        },
        end.signal,
      );
    } finally {
      clearTimeout(stalled);
      end.letGo();
    }
    if (end.signal.aborted && !this.#isStopped()) throw new KubernetesError(`the watch of ${path} stalled`, null, '');
    return version;
  }

  #apply({ type, object }: WatchEvent, path: string, onChange: (object: KubernetesObject) => void): string {
    if (type === 'ERROR') throw errorOf(object, path);
    if (type === 'BOOKMARK' && isVersioned(object)) return object.metadata.resourceVersion;
    if (!isObject(object)) throw nonsense(path, 'an event without an object');
    if (type === 'DELETED') this.#objects?.delete(keyOf(object));
    else if (type === 'ADDED' || type === 'MODIFIED') {
      const parts = this.#held(object);
      const known = this.#objects?.get(keyOf(object));
      this.#objects?.set(keyOf(object), parts);
      if (isDeepStrictEqual(parts, known)) return object.metadata.resourceVersion;
    } else throw nonsense(path, `an event of type ${type}`);
    onChange(object);
    return object.metadata.resourceVersion;
  }
}

interface ListPage {
  readonly items: readonly KubernetesObject[];
  readonly version: string;
  readonly next: string | undefined;
}

/** Throws when the answer is not a whole page of a list: half a list would look as if objects were gone. */
function readPage(answer: unknown, path: string): ListPage {
  const list = answer as {
    readonly kind?: unknown;
    readonly items?: unknown;
    readonly metadata?: { readonly resourceVersion?: unknown; readonly continue?: unknown };
  } | null;
  const version = list?.metadata?.resourceVersion;
  const next = list?.metadata?.continue;
  if (typeof list?.kind !== 'string' || !list.kind.endsWith('List') || typeof version !== 'string') {
    throw nonsense(path, 'something that is no list');
  }
  // An empty list of Go is null.
  const items = list.items ?? [];
  if (!Array.isArray(items)) throw nonsense(path, 'a list without items');
  if (!items.every(isObject)) throw nonsense(path, 'a list of something that is no object');
  return { items, version, next: typeof next === 'string' && next !== '' ? next : undefined };
}

/** Bookmarks have a resourceVersion alone. */
function isVersioned(object: unknown): object is { readonly metadata: { readonly resourceVersion: string } } {
  const metadata = (object as { readonly metadata?: { readonly resourceVersion?: unknown } } | null)?.metadata;
  return typeof metadata?.resourceVersion === 'string';
}

function isObject(object: unknown): object is KubernetesObject {
  return isVersioned(object) && 'name' in object.metadata && typeof object.metadata.name === 'string';
}

function errorOf(object: unknown, path: string): KubernetesError {
  const status = object as { readonly code?: unknown; readonly message?: unknown; readonly reason?: unknown } | null;
  const code = typeof status?.code === 'number' ? status.code : null;
  const message = typeof status?.message === 'string' ? status.message : `the watch of ${path} failed`;
  return new KubernetesError(message, code, typeof status?.reason === 'string' ? status.reason : '');
}

function nonsense(path: string, what: string): KubernetesError {
  return new KubernetesError(`the API server answered ${what} for ${path}`, null, '');
}

function keyOf({ metadata: { name, namespace = '' } }: KubernetesObject): string {
  return `${namespace}/${name}`;
}
