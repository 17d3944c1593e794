import { LinkIds } from '../link-ids.js';
import type { DocumentLink } from '../topology-document.js';
import { directedLinkFields, shortLinkFields, type directionFields } from './fields.js';
import type { Placed } from './placed.js';
import type { ProblemList } from './problem-list.js';
import { isObject, readObject, type ValuesOf } from './readers.js';
import { pointerTo, type PlainValue } from './source-text.js';

type Attributes = Omit<DocumentLink, 'id' | 'from' | 'to' | 'reverseId'>;

/** One direction as the file gives it; ids are settled once all entries are read. */
interface Arc {
  readonly from: string;
  readonly to: string;
  readonly attributes: Attributes;
  readonly pointer: string;
  readonly sound: boolean;
  id: string | undefined;
  reverseId: string | undefined;
}

/** All entries of `links`, in both forms, as directed links that name each other. References are not yet checked. */
export function readLinks(
  entries: readonly PlainValue[],
  pointer: string,
  problems: ProblemList,
): Placed<DocumentLink>[] {
  const pairs: (readonly [Arc, Arc])[] = [];
  const single: Arc[] = [];
  for (const [i, entry] of entries.entries()) {
    const at = pointerTo(pointer, i);
    if (isObject(entry) && !('between' in entry) && ('from' in entry || 'to' in entry)) {
      single.push(...readDirected(entry, at, problems));
    } else {
      pairs.push(...readShort(entry, at, problems));
    }
  }
  settleIds(pairs, single);
  return [...pairs.flat(), ...single].flatMap(({ id, reverseId, from, to, attributes, pointer: at, sound }) =>
    id === undefined || reverseId === undefined
      ? []
      : [{ value: { id, from, to, reverseId, ...attributes }, pointer: at, sound }],
  );
}

function readShort(entry: PlainValue, pointer: string, problems: ProblemList): (readonly [Arc, Arc])[] {
  const before = problems.count;
  const read = readObject(entry, pointer, problems, shortLinkFields, ['between']);
  if (read?.between === undefined) return [];
  const { between, forward = {}, backward = {}, ...shared } = read;
  const [a, b] = between;
  if (a === undefined || b === undefined) {
    if (problems.count === before) problems.report(`${pointer}/between`, 'expected the ids of two nodes');
    return [];
  }
  const sound = problems.count === before;
  const arc = (from: string, to: string, own: ValuesOf<typeof directionFields>): Arc => {
    const { id, ...attributes } = own;
    return { from, to, attributes: { ...shared, ...attributes }, pointer, sound, id, reverseId: undefined };
  };
  return [[arc(a, b, forward), arc(b, a, backward)]];
}

function readDirected(entry: PlainValue, pointer: string, problems: ProblemList): Arc[] {
  const before = problems.count;
  const read = readObject(entry, pointer, problems, directedLinkFields, ['from', 'to']);
  if (read?.from === undefined || read.to === undefined) return [];
  const { id, from, to, reverse, ...attributes } = read;
  return [
    {
      from,
      to,
      attributes,
      pointer,
      sound: problems.count === before,
      id: id ?? `${from}:${to}`,
      reverseId: reverse ?? `${to}:${from}`,
    },
  ];
}

/** Ids that the file gives come first; then each pair without them gets the next that are free. */
function settleIds(pairs: readonly (readonly [Arc, Arc])[], single: readonly Arc[]): void {
  const given = [...pairs.flat(), ...single].map(({ id }) => id).filter((id) => id !== undefined);
  const linkIds = new LinkIds(given);
  for (const [forward, backward] of pairs) {
    [forward.id, backward.id] = linkIds.pair(forward.from, forward.to, {
      ...(forward.id !== undefined && { forward: forward.id }),
      ...(backward.id !== undefined && { backward: backward.id }),
    });
    forward.reverseId = backward.id;
    backward.reverseId = forward.id;
  }
}
