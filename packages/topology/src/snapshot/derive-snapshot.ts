import type { AdminState, AdvertisedAttributes, OperationalState } from '../model/ted.js';
import { affinityNamesOf, affinitySets, namesInSets } from './affinity-sets.js';
import { withDerivedFlags } from './arc-flags.js';
import { definitionsInForce } from './freeze-flex-algorithms.js';
import { requireWhole } from './freeze-snapshot.js';
import { integers, startsOf } from './shared-arrays.js';
import { Snapshot } from './snapshot.js';
import { ArcFlag, NodeFlag, type SnapshotData } from './snapshot-data.js';
import { packStrings } from './string-table.js';

/** What is to be different of a node; what is left out stays. */
export interface NodeChange {
  readonly operationalState?: OperationalState;
  readonly adminState?: AdminState;
}

/** What is to be different of one direction of a link; what is left out stays. null: unknown. */
export interface ArcChange {
  readonly operationalState?: OperationalState;
  readonly adminState?: AdminState;
  readonly igpMetric?: number;
  /** Where the TED has none it is the IGP metric: whoever changes that has to change both. */
  readonly teMetric?: number;
  readonly delayUs?: number | null;
  readonly delayVariationUs?: number | null;
  readonly lossPpm?: number | null;
  readonly reservableBps?: number | null;
  readonly mtuBytes?: number | null;
  readonly affinities?: readonly string[];
  readonly srlgs?: readonly number[];
  /** By which flexible algorithms choose links; without any in the network nothing depends on it. */
  readonly advertised?: Partial<AdvertisedAttributes>;
}

/** By the numbers of `base`. */
export interface SnapshotChanges {
  readonly revision?: number;
  readonly nodes?: ReadonlyMap<number, NodeChange>;
  readonly arcs?: ReadonlyMap<number, ArcChange>;
}

/**
 * A snapshot that differs from another in these values: what freezing the changed TED would give, at the cost of copying
 * the arrays that differ. All others are shared, and with them the look-ups between ids and numbers. Throws RangeError for
 * numbers that are not in the base, and for metrics and delays that are not whole.
 */
export function deriveSnapshot(base: Snapshot, { revision, nodes = NONE, arcs = NONE }: SnapshotChanges): Snapshot {
  for (const node of nodes.keys()) base.nodeIdOf(node);
  for (const [arc, change] of arcs) requireWholeNumbers(base.linkIdOf(arc), change);
  const nodeFlags = changed(base.data.nodeFlags, nodes, (flags, change) => flagsOf(flags, change, NodeFlag));
  const withNodes: SnapshotData = { ...base.data, nodeFlags };
  const isFlexible = base.data.flexAlgorithm.length > 0;
  return new Snapshot({
    ...withNodes,
    revision: revision ?? base.revision,
    arcFlags: arcFlagsOf(base.data, withNodes, arcs),
    flexDefinition:
      isFlexible && nodeFlags !== base.data.nodeFlags ? definitionsInForce(withNodes) : base.data.flexDefinition,
    igpMetric: changed(base.data.igpMetric, arcs, (value, change) => change.igpMetric ?? value),
    teMetric: changed(base.data.teMetric, arcs, (value, change) => change.teMetric ?? value),
    delayUs: changed(base.data.delayUs, arcs, (value, change) => real(change.delayUs, value)),
    delayVariationUs: changed(base.data.delayVariationUs, arcs, (value, { delayVariationUs }) =>
      real(delayVariationUs, value),
    ),
    lossPpm: changed(base.data.lossPpm, arcs, (value, change) => real(change.lossPpm, value)),
    reservableBps: changed(base.data.reservableBps, arcs, (value, change) => real(change.reservableBps, value)),
    mtuBytes: changed(base.data.mtuBytes, arcs, (value, change) => real(change.mtuBytes, value)),
    ...affinitiesOf(base, arcs, isFlexible),
    ...srlgsOf(base.data, arcs, isFlexible),
    ...(isFlexible && {
      advertisedTeMetric: changed(base.data.advertisedTeMetric, arcs, (value, { advertised }) =>
        real(advertised?.teMetric, value),
      ),
      advertisedDelayMinUs: changed(base.data.advertisedDelayMinUs, arcs, (value, { advertised }) =>
        real(advertised?.delayMinUs, value),
      ),
    }),
  });
}

const NONE: ReadonlyMap<number, never> = new Map<number, never>();

const WHOLE = ['igpMetric', 'teMetric', 'delayUs', 'delayVariationUs'] as const;

function requireWholeNumbers(linkId: string, change: ArcChange): void {
  for (const attribute of WHOLE) requireWhole(linkId, attribute, change[attribute] ?? null);
  for (const attribute of ['teMetric', 'delayMinUs'] as const) {
    requireWhole(linkId, `advertised.${attribute}`, change.advertised?.[attribute] ?? null);
  }
}

/** The same array when no entry becomes another. */
function changed<A extends Uint8Array<SharedArrayBuffer> | Float64Array<SharedArrayBuffer>, Change>(
  values: A,
  changes: ReadonlyMap<number, Change>,
  next: (value: number, change: Change) => number,
): A {
  let copy: A | undefined;
  for (const [i, change] of changes) {
    const value = next(values[i] as number, change);
    if (Object.is(value, values[i])) continue;
    copy ??= copyOf(values);
    copy[i] = value;
  }
  return copy ?? values;
}

function copyOf<A extends Uint8Array<SharedArrayBuffer> | Float64Array<SharedArrayBuffer>>(values: A): A {
  const copy = new (values.constructor as new (buffer: SharedArrayBuffer) => A)(
    new SharedArrayBuffer(values.byteLength),
  );
  copy.set(values);
  return copy;
}

function real(value: number | null | undefined, otherwise: number): number {
  return value === undefined ? otherwise : (value ?? Number.NaN);
}

function flagsOf(
  flags: number,
  { operationalState, adminState }: NodeChange,
  flag: { readonly Up: number; readonly Drained: number; readonly Down: number },
): number {
  let next = flags;
  if (operationalState !== undefined) next = (next & ~flag.Up) | (operationalState === 'up' ? flag.Up : 0);
  if (adminState !== undefined) {
    next &= ~(flag.Drained | flag.Down);
    if (adminState !== 'up') next |= adminState === 'down' ? flag.Down : flag.Drained;
  }
  return next;
}

function arcFlagsOf(
  base: SnapshotData,
  next: SnapshotData,
  arcs: ReadonlyMap<number, ArcChange>,
): Uint8Array<SharedArrayBuffer> {
  const own = changed(base.arcFlags, arcs, (flags, change) => flagsOf(flags, change, ArcFlag));
  if (next.nodeFlags === base.nodeFlags) {
    if (own === base.arcFlags) return own;
    for (const arc of arcs.keys()) {
      own[arc] = withDerivedFlags(next, own, arc);
      const reverse = next.arcReverse[arc] as number;
      if (reverse >= 0) own[reverse] = withDerivedFlags(next, own, reverse);
    }
    return own;
  }
  const flags = copyOf(own);
  for (const arc of flags.keys()) flags[arc] = withDerivedFlags(next, flags, arc);
  return flags;
}

type AffinityFields =
  'affinityCount' | 'affinityNames' | 'affinityWords' | 'affinities' | 'advertisedAffinities' | 'definitionAffinities';

/** Bits are given to names in their order, so that a name more or less gives others to all. */
function affinitiesOf(
  { data, affinityNames }: Snapshot,
  arcs: ReadonlyMap<number, ArcChange>,
  isFlexible: boolean,
): Pick<SnapshotData, AffinityFields> {
  const changes = [...arcs.values()];
  if (changes.every(({ affinities, advertised }) => affinities === undefined && advertised?.affinities === undefined)) {
    const { affinityCount, affinityNames: packed, affinityWords, affinities } = data;
    const { advertisedAffinities, definitionAffinities } = data;
    return {
      affinityCount,
      affinityNames: packed,
      affinityWords,
      affinities,
      advertisedAffinities,
      definitionAffinities,
    };
  }
  const ofLinks = namesInSets(affinityNames, data.affinities, data.arcCount);
  const advertised = namesInSets(affinityNames, data.advertisedAffinities, isFlexible ? data.arcCount : 0);
  const ofDefinitions = namesInSets(affinityNames, data.definitionAffinities, 3 * data.definitionNode.length);
  for (const [arc, change] of arcs) {
    if (change.affinities !== undefined) ofLinks[arc] = [...change.affinities];
    if (isFlexible && change.advertised?.affinities !== undefined) advertised[arc] = [...change.advertised.affinities];
  }
  const names = affinityNamesOf([...ofLinks, ...advertised, ...ofDefinitions]);
  return {
    affinityCount: names.length,
    affinityNames: packStrings(names),
    affinityWords: Math.ceil(names.length / 32),
    affinities: affinitySets(names, ofLinks),
    advertisedAffinities: affinitySets(names, advertised),
    definitionAffinities: affinitySets(names, ofDefinitions),
  };
}

function srlgsOf(
  data: SnapshotData,
  arcs: ReadonlyMap<number, ArcChange>,
  isFlexible: boolean,
): Pick<SnapshotData, 'srlgStart' | 'srlgs' | 'advertisedSrlgStart' | 'advertisedSrlgs'> {
  const [srlgStart, srlgs] = changedRows(data.srlgStart, data.srlgs, arcs, (change) => change.srlgs);
  const [advertisedSrlgStart, advertisedSrlgs] = isFlexible
    ? changedRows(data.advertisedSrlgStart, data.advertisedSrlgs, arcs, ({ advertised }) => advertised?.srlgs)
    : [data.advertisedSrlgStart, data.advertisedSrlgs];
  return { srlgStart, srlgs, advertisedSrlgStart, advertisedSrlgs };
}

type Integers = Uint32Array<SharedArrayBuffer>;

function changedRows(
  start: Integers,
  values: Integers,
  arcs: ReadonlyMap<number, ArcChange>,
  next: (change: ArcChange) => readonly number[] | undefined,
): readonly [start: Integers, values: Integers] {
  if ([...arcs.values()].every((change) => next(change) === undefined)) return [start, values];
  const rows = Array.from({ length: start.length - 1 }, (_, arc) => {
    const change = arcs.get(arc);
    return (change && next(change)) ?? [...values.subarray(start[arc], start[arc + 1])];
  });
  return [integers(startsOf(rows)), integers(rows.flat())];
}
