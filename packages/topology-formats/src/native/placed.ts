/** Something read from a file, with the place it was read from. */
export interface Placed<T> {
  readonly value: T;
  /** JSON pointer of the entry. */
  readonly pointer: string;
  /** False: problems were reported inside it, so that what it contains is not worth further checks. */
  readonly sound: boolean;
}
