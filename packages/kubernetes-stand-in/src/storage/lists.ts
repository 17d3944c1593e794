import { randomUUID } from 'node:crypto';
import { badRequest, continueExpired, expired, tooLargeResourceVersion } from '../model/api-error.js';
import type { KubeObject } from '../model/kube-object.js';
import type { Selector } from './selectors.js';
import type { Store } from './store.js';

export interface ListQuery {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly selects: Selector | undefined;
  readonly limit: number;
  readonly continueToken: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly resourceVersionMatch: string | undefined;
}

export interface ListPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  readonly continueToken: string | undefined;
  /** Told only when the list is unfiltered, as by a real server. */
  readonly remaining: number | undefined;
}

interface OpenList {
  readonly items: readonly KubeObject[];
  /** How many were handed out. */
  readonly offset: number;
  readonly revision: number;
  readonly filtered: boolean;
}

/** As many lists may be halfway read; the one begun first is forgotten first. */
const OPEN_LISTS = 100;

/** @returns the revision that text names, undefined for none */
export function readRevision(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d+$/.test(text)) throw badRequest(`Invalid value: "${text}": resourceVersion must be a whole number`);
  return Number(text);
}

/** Lists in pages that all show the state of one resourceVersion. */
export class Lists {
  readonly #store: Store;
  readonly #open = new Map<string, OpenList>();

  constructor(store: Store) {
    this.#store = store;
  }

  list(query: ListQuery): ListPage {
    if (query.continueToken !== undefined) return this.#next(query.continueToken, query.limit);
    const revision = this.#revisionOf(query);
    const objects = this.#store.collection(query.collection).at(revision);
    const { namespace, selects } = query;
    const items = objects.filter(
      (object) => (namespace === undefined || object.metadata.namespace === namespace) && (selects?.(object) ?? true),
    );
    return this.#page({ items, offset: 0, revision, filtered: selects !== undefined }, query.limit);
  }

  /** Forgets every list that was begun. */
  compact(): void {
    this.#open.clear();
  }

  #revisionOf({ resourceVersion, resourceVersionMatch: match, collection }: ListQuery): number {
    const current = this.#store.revision;
    const asked = readRevision(resourceVersion);
    if (asked === undefined) {
      if (match !== undefined) throw badRequest('resourceVersionMatch is forbidden unless resourceVersion is provided');
      return current;
    }
    if (asked > current) throw tooLargeResourceVersion(asked, current);
    if (match !== 'Exact') return current;
    if (asked === 0) throw badRequest('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
    const oldest = this.#store.oldestFor(collection);
    if (asked < oldest) throw expired(asked, oldest);
    return asked;
  }

  #next(token: string, limit: number): ListPage {
    const open = this.#open.get(token);
    if (open === undefined) throw continueExpired();
    return this.#page(open, limit);
  }

  #page(list: OpenList, limit: number): ListPage {
    const { items, offset, revision, filtered } = list;
    const resourceVersion = String(revision);
    const end = limit === 0 ? items.length : offset + limit;
    if (end >= items.length)
      return { items: items.slice(offset), resourceVersion, continueToken: undefined, remaining: undefined };
    const continueToken = Buffer.from(JSON.stringify({ rv: revision, id: randomUUID() })).toString('base64url');
    this.#open.set(continueToken, { ...list, offset: end });
    if (this.#open.size > OPEN_LISTS) this.#open.delete([...this.#open.keys()][0] ?? '');
    const remaining = filtered ? undefined : items.length - end;
    return { items: items.slice(offset, end), resourceVersion, continueToken, remaining };
  }
}
