import type { ServerResponse } from 'node:http';
import { badRequest, expired, invalid, tooLargeResourceVersion } from '../model/api-error.js';
import type { KubeObject } from '../model/kube-object.js';
import { collectionOf, type ResourceType } from '../model/resource-type.js';
import type { Change } from '../storage/collection.js';
import { readRevision } from '../storage/lists.js';
import type { Selector } from '../storage/selectors.js';
import type { Store } from '../storage/store.js';
import { matches, type CallMatch } from './calls.js';
import type { Encoder } from './encoding.js';
import { isTrue, type RequestInfo } from './request-info.js';

const BOOKMARK_INTERVAL_MS = 60_000;
/** A watch that will end gets its last bookmark so long before. */
const BEFORE_THE_END_MS = 2_000;
/** A real server ends a watch that names no time after 30 to 60 minutes. */
const DEFAULT_TIMEOUT_S = 1_800;
const INITIAL_EVENTS_END = { 'k8s.io/initial-events-end': 'true' };

/** The open watches of the server. */
export class Watches {
  readonly #store: Store;
  readonly #open = new Set<Watch>();
  #stalls: CallMatch[] = [];
  #sent = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Events of all watches so far, bookmarks among them. */
  get sent(): number {
    return this.#sent;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Answers with events until the client leaves, the time is over, or a fault ends it. */
  open(type: ResourceType, info: RequestInfo, selects: Selector, encoder: Encoder, response: ServerResponse): void {
    const onSend = (): void => {
      this.#sent += 1;
    };
    const watch = new Watch(this.#store, type, info, selects, encoder, response, onSend);
    watch.stalled = this.#stalls.some((match) => matches(info, match));
    this.#open.add(watch);
    response.on('close', () => {
      watch.end();
      this.#open.delete(watch);
    });
    watch.start();
  }

  drop(match: CallMatch): number {
    return this.#each(match, (watch) => watch.break());
  }

  finish(match: CallMatch): number {
    return this.#each(match, (watch) => watch.finish());
  }

  stall(match: CallMatch): void {
    this.#stalls.push(match);
    for (const watch of this.#open) if (matches(watch.info, match)) watch.stalled = true;
  }

  resume(): void {
    this.#stalls = [];
    for (const watch of this.#open) watch.resume();
  }

  expire(match: CallMatch): number {
    return this.#each(match, (watch) => watch.expire());
  }

  send(text: string, match: CallMatch): number {
    return this.#each(match, (watch) => watch.write(text));
  }

  bookmark(): void {
    for (const watch of this.#open) watch.bookmark();
  }

  /** @returns how many */
  #each(match: CallMatch, act: (watch: Watch) => void): number {
    const meant = [...this.#open].filter((watch) => !watch.isEnding && matches(watch.info, match));
    for (const watch of meant) act(watch);
    return meant.length;
  }
}

class Watch {
  readonly info: RequestInfo;
  stalled = false;
  readonly #store: Store;
  readonly #type: ResourceType;
  readonly #selects: Selector;
  readonly #encoder: Encoder;
  readonly #response: ServerResponse;
  readonly #onSend: () => void;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #bookmarks: boolean;
  isEnding = false;
  #held: string[] = [];
  #stopListening: () => void = () => undefined;

  constructor(
    store: Store,
    type: ResourceType,
    info: RequestInfo,
    selects: Selector,
    encoder: Encoder,
    response: ServerResponse,
    onSend: () => void,
  ) {
    this.info = info;
    this.#store = store;
    this.#type = type;
    this.#selects = selects;
    this.#encoder = encoder;
    this.#response = response;
    this.#onSend = onSend;
    this.#bookmarks = isTrue(info.query.get('allowWatchBookmarks'));
  }

  /** @throws ApiError when the request itself is wrong; what is too old is told by an event, as a real server does */
  start(): void {
    const { query } = this.info;
    const asked = readRevision(query.get('resourceVersion') ?? undefined);
    const initial = query.get('sendInitialEvents');
    checkInitialEvents(initial, query.get('resourceVersionMatch'), this.#bookmarks);
    const { revision } = this.#store;
    if (asked !== undefined && asked > revision) throw tooLargeResourceVersion(asked, revision);
    this.#response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    this.#response.flushHeaders();
    const collection = this.#store.collection(collectionOf(this.#type));
    const oldest = this.#store.oldestFor(collectionOf(this.#type));
    const fromNow = isTrue(initial) || (initial === null && (asked === undefined || asked === 0));
    if (!fromNow && asked !== undefined && asked !== 0 && asked < oldest) {
      this.expire(asked);
      return;
    }
    if (fromNow) {
      for (const object of collection.all()) if (this.#concerns(object)) this.#send('ADDED', this.#encoder.one(object));
      // Who asks for no state in particular gets the mark, too, if he takes bookmarks.
      if (this.#bookmarks) this.#send('BOOKMARK', this.#encoder.bookmark(String(revision), INITIAL_EVENTS_END));
    } else if (asked !== undefined && asked !== 0) {
      for (const change of collection.changesAfter(asked)) this.#tell(change);
    }
    this.#stopListening = collection.listen((change) => this.#tell(change));
    this.#startTimers(Number(query.get('timeoutSeconds') ?? DEFAULT_TIMEOUT_S) * 1000);
  }

  bookmark(): void {
    if (this.#bookmarks) this.#send('BOOKMARK', this.#encoder.bookmark(String(this.#store.revision)));
  }

  resume(): void {
    if (!this.stalled) return;
    this.stalled = false;
    for (const line of this.#held) this.#response.write(line);
    this.#held = [];
    if (this.isEnding) this.#response.end();
  }

  /** Says that the past is forgotten, and ends. */
  expire(asked = this.#store.revision): void {
    this.#send('ERROR', expired(asked, this.#store.oldestFor(collectionOf(this.#type))).status);
    this.finish();
  }

  write(line: string): void {
    if (this.stalled) this.#held.push(line);
    else this.#response.write(line);
  }

  /** Breaks the connection. */
  break(): void {
    this.end();
    this.#response.destroy();
  }

  end(): void {
    this.#stopListening();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Ends it as when its time is over. */
  finish(): void {
    this.end();
    this.isEnding = true;
    if (!this.stalled) this.#response.end();
  }

  #startTimers(timeoutMs: number): void {
    this.#timers.push(setTimeout(() => this.finish(), timeoutMs).unref());
    if (!this.#bookmarks) return;
    this.#timers.push(setInterval(() => this.bookmark(), BOOKMARK_INTERVAL_MS).unref());
    if (timeoutMs > BEFORE_THE_END_MS)
      this.#timers.push(setTimeout(() => this.bookmark(), timeoutMs - BEFORE_THE_END_MS).unref());
  }

  #concerns(object: KubeObject): boolean {
    const namespace = this.info.target?.namespace;
    return (namespace === undefined || object.metadata.namespace === namespace) && this.#selects(object);
  }

  /** For a selector, an object that comes to match is added, and one that no longer does is deleted. */
  #tell({ type, object, previous }: Change): void {
    const was = previous !== undefined && this.#concerns(previous);
    const is = type !== 'DELETED' && this.#concerns(object);
    if (is) this.#send(was ? 'MODIFIED' : 'ADDED', this.#encoder.one(object));
    else if (was) {
      const { resourceVersion } = object.metadata;
      this.#send('DELETED', this.#encoder.one({ ...previous, metadata: { ...previous.metadata, resourceVersion } }));
    }
  }

  #send(type: string, object: object): void {
    this.#onSend();
    this.write(`${JSON.stringify({ type, object })}\n`);
  }
}

function checkInitialEvents(initial: string | null, match: string | null, bookmarks: boolean): void {
  if (initial === null) {
    if (match !== null)
      throw badRequest('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
    return;
  }
  if (match === 'NotOlderThan' && (bookmarks || !isTrue(initial))) return;
  throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions', name: '' }, [
    {
      reason: 'FieldValueForbidden',
      message: 'Forbidden: sendInitialEvents requires allowWatchBookmarks and resourceVersionMatch=NotOlderThan',
      field: 'sendInitialEvents',
    },
  ]);
}
