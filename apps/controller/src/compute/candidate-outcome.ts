import type { LinkId, OptionalOutcome } from '@waymark/topology';
import type { PolicyList } from '../model/sr-policy.js';
import type { ExpandedSegment, LinkBandwidth } from './evaluate-policies-model.js';

/** Lists that may be used as they are. */
export interface ValidLists {
  readonly valid: true;
  readonly lists: readonly PolicyList[];
  readonly bookings: readonly LinkBandwidth[];
  readonly expanded: readonly ExpandedSegment[];
  /** What is wrong with those lists of an explicit candidate path that were left out. */
  readonly message: string | null;
  /** Of a dynamic candidate path. */
  readonly optional: readonly OptionalOutcome[];
  /** What was searched for: no path is worth less, whatever the headend can push. Unknown of several lists. */
  readonly least?: number;
  /** The link whose bandwidth does not suffice, where that was optional. */
  readonly lackingOn?: LinkId;
}

export interface InvalidLists {
  readonly valid: false;
  /** A no-path reason, the kind of a violation, or what is wrong with the lists as a whole. */
  readonly reason: string;
  readonly message: string;
  /** The link whose bandwidth does not suffice for lists that are valid otherwise. */
  readonly lackingOn?: LinkId;
}

export type CandidateOutcome = ValidLists | InvalidLists;
