import { isDeepStrictEqual } from 'node:util';
import { FollowingAbort } from '../model/following-abort.js';
import { pause } from '../model/pause.js';
import { KubernetesError, type ApiClient, type WatchEvent } from './api-client.js';

/** What every object has. Whether an API server keeps to it is looked at before it is held. */
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
 * nonsense, everything stays. Of an object that cannot be read, what it said before stays; the others are as they are said.
 */
export class WatchedList<Held = KubernetesObject> {
  readonly #options: WatchedListOptions<Held>;
  readonly #partsOf: (object: KubernetesObject) => Held;
  readonly #timing: WatchTiming;
  readonly #stopped = new AbortController();
  #objects: Map<string, Held> | undefined;
  /** Why objects cannot be read that are there, by key. What they said before is held, if they ever said anything. */
  #unreadable = new Map<string, KubernetesError>();
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
        if (troubled) this.#tellUnreadable();
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

  /** undefined: it cannot be read, and nothing is known of it from before. */
  #held(object: KubernetesObject, unreadable: Map<string, KubernetesError>): Held | undefined {
    const key = keyOf(object);
    try {
      requireMetadata(object);
      const held = this.#partsOf(object);
      unreadable.delete(key);
      return held;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const what = `an object ${object.metadata.name} that cannot be read (${why}); what it said before stays`;
      unreadable.set(key, nonsense(this.#options.path, what));
      return this.#objects?.get(key);
    }
  }

  #tellUnreadable(): void {
    const [trouble = null] = this.#unreadable.values();
    this.#options.onTrouble(trouble);
  }

  /** Lists everything. Returns the resourceVersion to watch from. */
  async #list(): Promise<string> {
    const { client, path, label } = this.#options;
    const listed = new Map<string, Held>();
    const unreadable = new Map<string, KubernetesError>();
    let page: ListPage | undefined;
    do {
      const next: string | undefined = page?.next;
      page = readPage(await client.get(path, { limit: PAGE_SIZE, continue: next, labelSelector: label }), path);
      if (page.next !== undefined && page.next === next) throw nonsense(path, 'the same page again');
      for (const object of page.items) {
        const held = this.#held(object, unreadable);
        if (held !== undefined) listed.set(keyOf(object), held);
      }
    } while (page.next !== undefined && !this.#isStopped());
    if (this.#isStopped()) return page.version;
    const isTold = this.#unreadable.size + unreadable.size > 0;
    this.#objects = listed;
    this.#unreadable = unreadable;
    if (isTold) this.#tellUnreadable();
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
    const key = keyOf(object);
    const wasUnreadable = this.#unreadable.has(key);
    const { resourceVersion } = object.metadata;
    if (type === 'DELETED') {
      this.#unreadable.delete(key);
      if (wasUnreadable) this.#tellUnreadable();
      if (this.#objects?.delete(key) !== true) return resourceVersion;
    } else if (type === 'ADDED' || type === 'MODIFIED') {
      const known = this.#objects?.get(key);
      const parts = this.#held(object, this.#unreadable);
      if (wasUnreadable || this.#unreadable.has(key)) this.#tellUnreadable();
      if (parts === undefined || isDeepStrictEqual(parts, known)) return resourceVersion;
      this.#objects?.set(key, parts);
    } else throw nonsense(path, `an event of type ${type.slice(0, 40)}`);
    onChange(object);
    return resourceVersion;
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
  const items = list.items === null ? [] : list.items;
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

/** Of everything that is followed here; a path is made of it. */
const isName = /^[A-Za-z0-9]([-A-Za-z0-9_.:]{0,251}[A-Za-z0-9])?$/;

/** Throws TypeError, which says where, when metadata is not as every API server gives it. */
function requireMetadata({ metadata }: KubernetesObject): void {
  const { name, namespace, uid, generation, deletionTimestamp, finalizers, labels } = metadata;
  const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
  const wrong =
    (!isName.test(name) && 'name') ||
    (!(isText(namespace) && isName.test(namespace ?? 'none')) && 'namespace') ||
    (!isText(uid) && 'uid') ||
    (!(generation === undefined || Number.isSafeInteger(generation)) && 'generation') ||
    (!isText(deletionTimestamp) && 'deletionTimestamp') ||
    (!((finalizers ?? []) instanceof Array && (finalizers ?? []).every(isText)) && 'finalizers') ||
    (!(typeof (labels ?? {}) === 'object' && Object.values(labels ?? {}).every(isText)) && 'labels');
  if (wrong !== false) throw new TypeError(`its ${wrong} is none`);
}

function keyOf({ metadata: { name, namespace = '' } }: KubernetesObject): string {
  return `${namespace}/${name}`;
}
