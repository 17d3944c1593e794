import { VppCrash } from './crash.js';
import { Pool } from './pool.js';
import type { Tables } from './tables.js';

export const NONE = 0xffffffff;
const VECTOR_BYTES = 16;
const MOST_VECTORS = 5;

const NO_SUCH_ENTRY = -6;
const INVALID_VALUE = -7;
const NO_SUCH_TABLE = -65;
const INVALID_MEMORY_SIZE = -70;

/** What a packet is held against, and what becomes of one that fits no session. */
export interface ClassifierTable {
  readonly mask: Buffer;
  readonly buckets: number;
  readonly skipVectors: number;
  readonly matchVectors: number;
  /** Index of the table that is tried next; NONE: no other. */
  nextTable: number;
  readonly missNextIndex: number;
  /** Bytes of its heap. */
  readonly memory: number;
  readonly currentDataFlag: number;
  readonly currentDataOffset: number;
  /** By their masked keys, in hex. */
  readonly sessions: Map<string, Session>;
}

export interface Session {
  /** Masked, without the vectors that are skipped. */
  readonly key: Buffer;
  readonly hitNextIndex: number;
  readonly opaqueIndex: number;
  readonly advance: number;
  /** Where packets are looked up, in place of the interface's table. */
  readonly lookup: Lookup | undefined;
}

/** VPP writes the table's slot into the session, and holds the table. */
interface Lookup {
  readonly family: 'ipv4' | 'ipv6';
  readonly slot: number;
}

export interface Verdict {
  readonly kind: 'accept' | 'drop';
  readonly lookup: Lookup | undefined;
}

export interface TableRequest {
  readonly isAdd: boolean;
  readonly deletesChain: boolean;
  readonly index: number;
  readonly table: Omit<ClassifierTable, 'sessions'>;
}

export interface SessionRequest extends Omit<Session, 'key' | 'lookup'> {
  readonly isAdd: boolean;
  readonly table: number;
  readonly action: number;
  /** With the actions that choose a FIB table, its id. */
  readonly metadata: number;
  /** With the vectors that are skipped. */
  readonly match: Buffer;
}

/** VPP's classifier: tables in a pool that anything may refer to by index, and nothing counts who does. */
export class Classifiers {
  readonly tables = new Pool<ClassifierTable>();
  readonly #fibs: Tables;

  constructor(fibs: Tables) {
    this.#fibs = fibs;
  }

  find(index: number): ClassifierTable | undefined {
    return this.tables.isFree(index) ? undefined : this.tables.at(index);
  }

  /** Tables that a packet may meet that begins with this one. */
  chain(index: number): readonly number[] {
    const met: number[] = [];
    for (let at = index; at !== NONE && !met.includes(at); at = this.find(at)?.nextTable ?? NONE) met.push(at);
    return met;
  }

  /** Return code of classify_add_del_table, and the index of the table that was added. */
  addOrDelete({ isAdd, deletesChain, index, table }: TableRequest): {
    readonly retval: number;
    readonly index: number;
  } {
    const answer = (retval: number) => ({ retval, index: NONE });
    if (table.mask.length !== table.matchVectors * VECTOR_BYTES) return answer(INVALID_VALUE);
    const present = this.find(index);
    if (!isAdd) {
      if (present === undefined) return answer(NO_SUCH_TABLE);
      for (const each of deletesChain ? this.chain(index) : [index]) {
        // Its sessions go with it, and what they hold stays held for good.
        if (!this.tables.isFree(each)) this.tables.release(each);
      }
      return answer(0);
    }
    if (present !== undefined) {
      // Of a table that is there, nothing but the next one changes.
      present.nextTable = table.nextTable;
      return { retval: 0, index };
    }
    if (table.memory === 0) return answer(INVALID_MEMORY_SIZE);
    if (table.buckets === 0 || table.matchVectors < 1 || table.matchVectors > MOST_VECTORS) {
      return answer(INVALID_VALUE);
    }
    const buckets = 2 ** Math.ceil(Math.log2(table.buckets));
    return { retval: 0, index: this.tables.allocate({ ...table, buckets, sessions: new Map() }) };
  }

  /**
   * Return code of classify_add_del_session. A session with the same key is replaced, but the table that it held stays
   * held.
   */
  addOrDeleteSession({ isAdd, table: index, match, action, metadata, ...rest }: SessionRequest): number {
    const table = this.find(index);
    if (table === undefined) return NO_SUCH_TABLE;
    if (match.length !== (table.skipVectors + table.matchVectors) * VECTOR_BYTES) return INVALID_VALUE;
    const key = keyOf(table, match);
    const text = key.toString('hex');
    if (!isAdd) {
      const session = table.sessions.get(text);
      if (session === undefined) return NO_SUCH_ENTRY;
      table.sessions.delete(text);
      if (session.lookup !== undefined) this.#fibs[session.lookup.family].releaseBySession(session.lookup.slot);
      return 0;
    }
    const family = LOOKUP_ACTIONS[action];
    const lookup = family && { family, slot: this.#fibs[family].holdBySession(metadata) };
    table.sessions.set(text, { ...rest, key, lookup });
    // The least that sessions take; pages of two and copies take more.
    if (table.sessions.size * (SESSION_BYTES + key.length) > table.memory)
      throw new VppCrash('classifier-out-of-memory');
    return 0;
  }

  /** What the first session that fits decides, from this table on. `linkHeader`: bytes before the packet in its buffer. */
  verdict(index: number, packet: Buffer, linkHeader: number): Verdict {
    let missNextIndex = NONE;
    for (const each of this.chain(index)) {
      const table = this.find(each);
      if (table === undefined) break;
      const session = table.sessions.get(keyOf(table, dataOf(table, packet, linkHeader)).toString('hex'));
      if (session !== undefined) return { kind: kindOf(session.hitNextIndex), lookup: session.lookup };
      ({ missNextIndex } = table);
    }
    return { kind: kindOf(missNextIndex), lookup: undefined };
  }
}

const kindOf = (nextIndex: number): Verdict['kind'] => (nextIndex === DENY ? 'drop' : 'accept');

/** classify_action of the API: set-ip4-fib-index and set-ip6-fib-index. */
const LOOKUP_ACTIONS: Readonly<Record<number, Lookup['family']>> = { 1: 'ipv4', 2: 'ipv6' };
const SESSION_BYTES = 48;

/** Of the graph's nodes behind an input ACL; any number that has no node lets the packet go on. */
const DENY = 0;
const USE_CURRENT_DATA = 1;

/** From where on the packet is held against the mask: its own first byte, or that of the buffer. */
function dataOf({ currentDataFlag, currentDataOffset }: ClassifierTable, packet: Buffer, linkHeader: number): Buffer {
  if (currentDataFlag !== USE_CURRENT_DATA) return Buffer.concat([Buffer.alloc(linkHeader), packet]);
  return packet.subarray(currentDataOffset);
}

function keyOf({ mask, skipVectors }: ClassifierTable, data: Buffer): Buffer {
  const start = skipVectors * VECTOR_BYTES;
  return Buffer.from(mask.map((bits, at) => bits & (data[start + at] ?? 0)));
}
