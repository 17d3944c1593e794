import { formatAddress, parseAddress } from '../address.js';
import type { Family } from '../port.js';
import { GO_ON, hasForm, layClassifier, NO_TABLE, type Classifier, type ClassifierForm } from './classifiers.js';
import type { Vpp } from './vpp-link.js';

/*
 * Sessions by source address say in which FIB table a packet is looked up, in place of that of its interface. There are two
 * tables per family, one behind the other, because a session cannot be re-pointed: VPP 26.06 would keep the old FIB table for
 * good. An address that changes its class gets its new session in the table where it has none, before the other goes:
 *
 *     FRONT   source address   → look up in the table of its class
 *       │ miss
 *     BACK    source address   → look up in the table of its class
 *       │ miss
 *     goes on along the feature arc, to the lookup in the table of the interface
 */

export type Slot = 'front' | 'back';
const SLOTS: readonly Slot[] = ['front', 'back'];
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** Addresses of a family in classes. On 26.06 so many take 1 MB of the heap of their table at most, also in random order. */
export const MOST_SOURCES = 4_096;
const BUCKETS = 1_024;
const MEMORY = 8 << 20;

interface Layout {
  readonly action: 'CLASSIFY_API_ACTION_SET_IP4_FIB_INDEX' | 'CLASSIFY_API_ACTION_SET_IP6_FIB_INDEX';
  /** Of the source address in the IP header. */
  readonly offset: number;
  readonly length: number;
  /** `Wy4a`, `Wy4b`, `Wy6a` and `Wy6b` in ASCII. */
  readonly marks: Readonly<Record<Slot, number>>;
}

const LAYOUTS: Readonly<Record<Family, Layout>> = {
  ipv4: {
    action: 'CLASSIFY_API_ACTION_SET_IP4_FIB_INDEX',
    offset: 12,
    length: 4,
    marks: { front: 0x57793461, back: 0x57793462 },
  },
  ipv6: {
    action: 'CLASSIFY_API_ACTION_SET_IP6_FIB_INDEX',
    offset: 8,
    length: 16,
    marks: { front: 0x57793661, back: 0x57793662 },
  },
};

export const SOURCE_MARKS: ReadonlySet<number> = new Set(
  FAMILIES.flatMap((family) => SLOTS.map((slot) => LAYOUTS[family].marks[slot])),
);

/** A session for one source address. */
export interface SourceSession {
  readonly family: Family;
  readonly slot: Slot;
  /** Index of its classifier table. */
  readonly classifier: number;
  readonly address: string;
  /** Id of the FIB table; VPP shows no more of it than the mark that we gave the session. */
  readonly table: number;
  /** False: it is none that we would write. */
  readonly isOurs: boolean;
}

/** Indices of classifier tables. */
export type SourceTables = Readonly<Record<Slot, number>>;

/** Sessions of our tables. */
export async function readSourceSessions(vpp: Vpp, tables: readonly Classifier[]): Promise<readonly SourceSession[]> {
  const ofSlots = FAMILIES.flatMap((family) => SLOTS.map((slot) => ({ family, slot })));
  const sessions = await Promise.all(
    ofSlots.flatMap(({ family, slot }) =>
      tables
        .filter((table) => hasForm(table, formOf(family, slot)))
        .map(async ({ index }) => {
          const { offset, length } = LAYOUTS[family];
          const found = await vpp.dump('classify_session_dump', { table_id: index });
          return found.map((session): SourceSession => ({
            family,
            slot,
            classifier: index,
            address: formatAddress(Uint8Array.from(session.match.subarray(offset, offset + length))),
            table: session.opaque_index,
            isOurs: session.hit_next_index === GO_ON && session.advance === 0,
          }));
        }),
    ),
  );
  return sessions.flat();
}

/** The sessions that packets meet: of two for an address, that in front. */
export function effectiveSessions(sessions: readonly SourceSession[]): readonly SourceSession[] {
  const ours = sessions.filter(({ isOurs }) => isOurs);
  const inFront = new Set(ours.filter(({ slot }) => slot === 'front').map(({ address }) => address));
  return ours.filter(({ slot, address }) => slot === 'front' || !inFront.has(address));
}

/** Makes both tables of a family where they are missing. */
export async function laySourceTables(vpp: Vpp, tables: readonly Classifier[], family: Family): Promise<SourceTables> {
  const back = await layClassifier(vpp, tables, formOf(family, 'back'), NO_TABLE);
  await back.link();
  const front = await layClassifier(vpp, tables, formOf(family, 'front'), back.index);
  await front.link();
  return { front: front.index, back: back.index };
}

/** The FIB table has to exist: VPP would make one, with a name that is not ours. */
export async function addSession(vpp: Vpp, classifier: number, address: string, table: number): Promise<void> {
  const { action } = LAYOUTS[familyOf(address)];
  await vpp.call('classify_add_del_session', {
    is_add: true,
    table_index: classifier,
    hit_next_index: GO_ON,
    opaque_index: table,
    action,
    metadata: table,
    match: matchOf(address),
  });
}

export async function removeSession(vpp: Vpp, { classifier, address }: SourceSession): Promise<void> {
  await vpp.call('classify_add_del_session', { is_add: false, table_index: classifier, match: matchOf(address) });
}

function formOf(family: Family, slot: Slot): ClassifierForm {
  const { marks, length } = LAYOUTS[family];
  const mask = matchOf(formatAddress(new Uint8Array(length).fill(0xff)));
  return { mark: marks[slot], mask, buckets: BUCKETS, memory: MEMORY };
}

function matchOf(address: string): Uint8Array {
  const { offset, length } = LAYOUTS[familyOf(address)];
  const match = new Uint8Array(Math.ceil((offset + length) / 16) * 16);
  match.set(parseAddress(address), offset);
  return match;
}

export function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
