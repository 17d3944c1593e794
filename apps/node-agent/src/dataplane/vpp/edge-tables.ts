import { DROP, hexOf, layClassifier, type Classifier, type ClassifierForm } from './classifiers.js';
import type { Vpp } from './vpp-link.js';

/*
 * VPP's classifier compares bytes at fixed offsets from the IPv6 header on. Two tables, one behind the other, tell every
 * packet that has a routing header in sight, or could have one further on:
 *
 *     FIRST    byte 6, what follows the IPv6 header: a routing header                          → drop
 *       │ miss
 *     BEHIND   bytes 6 and 40, what follows it, and what follows that: two extension headers   → drop
 *       │ miss
 *     goes on to the sources of service classes, or along the feature arc
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
const VECTOR_BYTES = 16;
/** `Waym` in ASCII. */
export const EDGE_MARK = 0x5761796d;

/** What a table compares, and what it drops. */
interface Form extends ClassifierForm {
  readonly matches: readonly Uint8Array[];
}

const BEHIND = formOf(
  [NEXT_HEADER, SECOND_NEXT_HEADER],
  EXTENSIONS.filter((first) => first !== ROUTING).flatMap((first) => EXTENSIONS.map((second) => [first, second])),
);
const FIRST = formOf([NEXT_HEADER], [[ROUTING]]);

/**
 * Makes both tables what they should be. Returns their indices, of the one that packets meet first to begin with.
 *
 * @param next the table that packets go on to
 */
export async function layEdgeTables(
  vpp: Vpp,
  tables: readonly Classifier[],
  next: number,
): Promise<readonly [first: number, behind: number]> {
  const behind = await layTable(vpp, tables, BEHIND, next);
  return [await layTable(vpp, tables, FIRST, behind), behind];
}

async function layTable(vpp: Vpp, tables: readonly Classifier[], form: Form, next: number): Promise<number> {
  const { index, link } = await layClassifier(vpp, tables, form, next);
  await laySessions(vpp, index, form);
  await link();
  return index;
}

async function laySessions(vpp: Vpp, table: number, { matches }: Form): Promise<void> {
  const found = await vpp.dump('classify_session_dump', { table_id: table });
  const right = new Set(found.filter((one) => one.hit_next_index === DROP).map(({ match }) => hexOf(match)));
  const wanted = new Set(matches.map(hexOf));
  const session = (isAdd: boolean, match: Uint8Array) =>
    vpp.call('classify_add_del_session', { is_add: isAdd, table_index: table, hit_next_index: DROP, match });
  await Promise.all([
    ...matches.filter((match) => !right.has(hexOf(match))).map((match) => session(true, match)),
    ...found.filter(({ match }) => !wanted.has(hexOf(match))).map(({ match }) => session(false, match)),
  ]);
}

/** @param matches values of the bytes at these offsets that are dropped */
function formOf(offsets: readonly number[], matches: readonly (readonly number[])[]): Form {
  const length = (Math.floor(Math.max(...offsets) / VECTOR_BYTES) + 1) * VECTOR_BYTES;
  const filled = (values: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(length);
    offsets.forEach((offset, at) => (bytes[offset] = values[at] ?? 0));
    return bytes;
  };
  return {
    mark: EDGE_MARK,
    mask: filled(offsets.map(() => 0xff)),
    buckets: matches.length,
    matches: matches.map(filled),
  };
}
