/** What a link looked at by a plain shortest-path search costs; a label, which has to be held against others, is a unit. */
export const RELAXATION = 1 / 4;

/** Labels, or four times as many relaxations, that one request may cost when nobody says otherwise: about a second of work. */
export const DEFAULT_WORK_BUDGET = 2_000_000;

/** For several paths at once, however many. */
export const GROUP_WORK_BUDGET = 2 * DEFAULT_WORK_BUDGET;

/** Counts work, never time, so that the same request ends at the same point on every machine. */
export class WorkBudget {
  #left: number;
  #gaveUp = false;
  #isDecided: boolean | undefined;

  constructor(units: number) {
    this.#left = units;
  }

  get isSpent(): boolean {
    return this.#left <= 0;
  }

  get left(): number {
    return Math.max(0, this.#left);
  }

  spend(units: number): void {
    this.#left -= units;
  }

  /** A part of the work was not done to its end, although there are units left for the rest. */
  giveUp(): void {
    this.#gaveUp = true;
  }

  /** The search is over; what is spent from here on goes into explaining. */
  decide(): void {
    this.#isDecided ??= this.#isOpen();
  }

  /** Was the search done to its end? */
  get isDecided(): boolean {
    return this.#isDecided ?? this.#isOpen();
  }

  #isOpen(): boolean {
    return !this.isSpent && !this.#gaveUp;
  }
}
