/** Relaxations and labels that one request may cost when nobody says otherwise: about a second of work. */
export const DEFAULT_WORK_BUDGET = 2_000_000;

/** Counts work, never time, so that the same request ends at the same point on every machine. */
export class WorkBudget {
  #left: number;

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
}
