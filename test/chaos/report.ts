export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

/** A line of a log ends with its message, after the stack. */
const DETAIL_CHARACTERS = 3_000;

/** What was done and found in one run, told as it happens. */
export class Report {
  readonly violations: Violation[] = [];
  readonly #checked = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #begun = performance.now();
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  say(line: string): void {
    const seconds = ((performance.now() - this.#begun) / 1_000).toFixed(2);
    this.#write(`${seconds.padStart(8)}  ${line}`);
  }

  fault(kind: string, line: string): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1);
    this.say(`fault     ${line}`);
  }

  /** The invariant was looked at so many times; each detail says where it does not hold. */
  check(invariant: string, times: number, details: Iterable<string>): void {
    this.#checked.set(invariant, (this.#checked.get(invariant) ?? 0) + times);
    for (const text of details) {
      const detail = text.length > DETAIL_CHARACTERS ? `${text.slice(0, DETAIL_CHARACTERS)} …` : text;
      if (this.violations.some((known) => known.invariant === invariant && known.detail === detail)) continue;
      this.violations.push({ invariant, detail });
      this.say(`VIOLATION ${invariant}: ${detail}`);
    }
  }

  get faultCount(): number {
    return total(this.#faults);
  }

  get checkCount(): number {
    return total(this.#checked);
  }

  /** How often each invariant was looked at. */
  get checked(): ReadonlyMap<string, number> {
    return this.#checked;
  }

  summary(): string {
    const lines = (counts: ReadonlyMap<string, number>): string[] =>
      [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${String(count).padStart(8)}  ${name}`);
    return [
      `${this.faultCount} faults injected`,
      ...lines(this.#faults),
      `${this.checkCount} checks of ${this.#checked.size} invariants`,
      ...lines(this.#checked),
      `${this.violations.length} violations`,
      ...this.violations.map(({ invariant, detail }) => `          ${invariant}: ${detail}`),
    ].join('\n');
  }
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
