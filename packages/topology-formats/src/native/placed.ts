import type { Locator } from '@waymark/topology';
import type { DocumentNode } from '../topology-document.js';

/** Something read from a file, with the place it was read from. */
export interface Placed<T> {
  readonly value: T;
  /** JSON pointer of the entry. */
  readonly pointer: string;
  /** False: problems were reported inside it, so that what it contains is not worth further checks. */
  readonly sound: boolean;
}

export interface PlacedNode extends Placed<DocumentNode> {
  /** For each SID: its address as a number, and the locator of the node that covers it. */
  readonly sidPlaces: readonly SidPlace[];
}

export interface SidPlace {
  readonly address: bigint;
  readonly locator: Locator | undefined;
}
