import { VppRetvalError } from '@waymark/vpp-api';
import type { Vpp } from './vpp-link.js';

/*
 * VPP's classifier compares bytes at fixed offsets from the IPv6 header on. Two tables, one behind the other, tell every
 * packet that has a routing header in sight, or could have one further on:
 *
 *     FIRST    byte 6, what follows the IPv6 header: a routing header                          → drop
 *       │ miss
 *     BEHIND   bytes 6 and 40, what follows it, and what follows that: two extension headers   → drop
 *       │ miss
 *     goes on along the feature arc
 */

const NEXT_HEADER = 6;
/** Where the first extension header begins, every one of them with what comes next. */
const SECOND_NEXT_HEADER = 40;
const ROUTING = 43;
/**
 * The extension headers that a receiver walks past (RFC 7045): hop-by-hop options, routing, fragment, authentication,
 * destination options, mobility, host identity, shim6. What comes behind the second of two is at no fixed offset.
 */
const EXTENSIONS = [0, ROUTING, 44, 51, 60, 135, 139, 140];

/** Index of no table. */
export const NO_TABLE = 0xffffffff;
const VECTOR_BYTES = 16;
const DROP = 0;
const FROM_IPV6_HEADER = 1;
/**
 * The node behind a miss. Any number that is not one of VPP's few has a packet go on, so that this one, `Waym` in ASCII,
 * marks a table as ours from the moment it exists.
 */
const MARK = 0x5761796d;
const NO_SUCH_TABLE = -91;

/** What a table compares, and what it drops. */
interface Form {
  readonly mask: Uint8Array;
  readonly matches: readonly Uint8Array[];
}

const BEHIND = formOf(
  [NEXT_HEADER, SECOND_NEXT_HEADER],
  EXTENSIONS.filter((first) => first !== ROUTING).flatMap((first) => EXTENSIONS.map((second) => [first, second])),
);
const FIRST = formOf([NEXT_HEADER], [[ROUTING]]);

/** A table with our mark. */
interface OwnTable {
  readonly index: number;
  readonly next: number;
  /** undefined: none that this agent writes. */
  readonly form: Form | undefined;
}

export interface EdgeTables {
  readonly own: readonly OwnTable[];
  /** Tables of others that a packet goes on from to one of ours. */
  readonly leadingToOwn: readonly Pick<OwnTable, 'index' | 'next'>[];
}

export async function readEdgeTables(vpp: Vpp): Promise<EdgeTables> {
  const { ids } = await vpp.call('classify_table_ids', {});
  const infos = await Promise.all(ids.map((id) => readTable(vpp, id)));
  const tables = infos.filter((info) => info !== undefined);
  const own = tables.filter(({ mark }) => mark === MARK);
  const indices = new Set(own.map(({ index }) => index));
  return { own, leadingToOwn: tables.filter(({ mark, next }) => mark !== MARK && indices.has(next)) };
}

async function readTable(vpp: Vpp, index: number): Promise<(OwnTable & { readonly mark: number }) | undefined> {
  try {
    const info = await vpp.call('classify_table_info', { table_id: index });
    const isLike = ({ mask }: Form): boolean => info.skip_n_vectors === 0 && textOf(mask) === textOf(info.mask);
    return {
      index,
      next: info.next_table_index,
      form: [FIRST, BEHIND].find(isLike),
      mark: info.miss_next_index,
    };
  } catch (error) {
    if (error instanceof VppRetvalError && error.retval === NO_SUCH_TABLE) return undefined;
    throw error;
  }
}

/** Makes both tables what they should be. Returns their indices, of the one that packets meet first to begin with. */
export async function layEdgeTables(vpp: Vpp, { own }: EdgeTables): Promise<readonly [first: number, behind: number]> {
  const behind = await layTable(vpp, own, BEHIND, NO_TABLE);
  return [await layTable(vpp, own, FIRST, behind), behind];
}

/** Tables that no interface and no other table leads to: VPP asks nobody, and dies of the next packet otherwise. */
export async function removeEdgeTables(vpp: Vpp, tables: readonly OwnTable[]): Promise<void> {
  // A new table takes the index that was freed last, and BEHIND is made first: so each gets its old one again.
  const ordered = [...tables].sort((a, b) => Number(a.form === BEHIND) - Number(b.form === BEHIND));
  await Promise.all(ordered.map(({ index }) => vpp.call('classify_add_del_table', removalOf(index))));
}

async function layTable(vpp: Vpp, own: readonly OwnTable[], form: Form, next: number): Promise<number> {
  const present = own.find((table) => table.form === form);
  const index = present?.index ?? (await vpp.call('classify_add_del_table', additionOf(form, next))).new_table_index;
  await laySessions(vpp, index, form);
  if (present !== undefined && present.next !== next) {
    await vpp.call('classify_add_del_table', { ...additionOf(form, next), table_index: index });
  }
  return index;
}

async function laySessions(vpp: Vpp, table: number, { matches }: Form): Promise<void> {
  const found = await vpp.dump('classify_session_dump', { table_id: table });
  const right = new Set(found.filter((one) => one.hit_next_index === DROP).map(({ match }) => textOf(match)));
  const wanted = new Set(matches.map(textOf));
  const session = (isAdd: boolean, match: Uint8Array) =>
    vpp.call('classify_add_del_session', { is_add: isAdd, table_index: table, hit_next_index: DROP, match });
  await Promise.all([
    ...matches.filter((match) => !right.has(textOf(match))).map((match) => session(true, match)),
    ...found.filter(({ match }) => !wanted.has(textOf(match))).map(({ match }) => session(false, match)),
  ]);
}

/** Of a table that exists, this changes the next one. */
function additionOf({ mask, matches }: Form, next: number) {
  return {
    is_add: true,
    del_chain: false,
    nbuckets: matches.length,
    match_n_vectors: mask.length / VECTOR_BYTES,
    next_table_index: next,
    miss_next_index: MARK,
    current_data_flag: FROM_IPV6_HEADER,
    mask,
  };
}

function removalOf(index: number) {
  return { is_add: false, del_chain: false, table_index: index, mask: new Uint8Array(VECTOR_BYTES) };
}

/** @param matches values of the bytes at these offsets that are dropped */
function formOf(offsets: readonly number[], matches: readonly (readonly number[])[]): Form {
  const length = (Math.floor(Math.max(...offsets) / VECTOR_BYTES) + 1) * VECTOR_BYTES;
  const filled = (values: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(length);
    offsets.forEach((offset, at) => (bytes[offset] = values[at] ?? 0));
    return bytes;
  };
  return { mask: filled(offsets.map(() => 0xff)), matches: matches.map(filled) };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
