/** No label: the end of a chain. */
export const NO_LABEL = -1;

/**
 * Labels of a multi-criteria search, by number, in columns: a search makes thousands, and as objects they would cost more
 * than what is done with them. Used again by the next search.
 */
export class LabelStore {
  #size = 0;
  #capacity = 0;
  #stride = 1;
  #heads = new Int32Array(0);
  #headOf = new Uint32Array(0);
  #search = 0;
  state = new Int32Array(0);
  /** The arc by which it came; -1 at the start. */
  arc = new Int32Array(0);
  parent = new Int32Array(0);
  /** The next label in the chain that this one is in: of its state, or of those as good as another. */
  next = new Int32Array(0);
  /** First of the labels of the same cost that this one dominates: other ways to be as good here. */
  equals = new Int32Array(0);
  isDominated = new Uint8Array(0);
  /** Least cost any completion can have. */
  estimate = new Float64Array(0);
  tie = new Float64Array(0);
  /** `stride` numbers per label: the optimised metric, then each bound. */
  sums = new Float64Array(0);

  get stride(): number {
    return this.#stride;
  }

  /** For a search over so many states. */
  clear(states: number, stride: number): void {
    if (states > this.#heads.length || this.#search === 0xffffffff) {
      this.#heads = new Int32Array(states);
      this.#headOf = new Uint32Array(states);
      this.#search = 0;
    }
    this.#search++;
    this.#size = 0;
    if (stride !== this.#stride) this.#capacity = 0;
    this.#stride = stride;
  }

  /** Adds a label and returns its number; the sums are the caller's to write, at number * stride. */
  add(state: number, arc: number, parent: number, estimate: number, tie: number): number {
    const label = this.#size++;
    if (label >= this.#capacity) this.#grow();
    this.state[label] = state;
    this.arc[label] = arc;
    this.parent[label] = parent;
    this.next[label] = NO_LABEL;
    this.equals[label] = NO_LABEL;
    this.isDominated[label] = 0;
    this.estimate[label] = estimate;
    this.tie[label] = tie;
    return label;
  }

  /** Another way by which a label came. */
  setWay(label: number, arc: number, parent: number): void {
    this.arc[label] = arc;
    this.parent[label] = parent;
  }

  /** First label in the chain of a state. */
  firstAt(state: number): number {
    return this.#headOf[state] === this.#search ? (this.#heads[state] as number) : NO_LABEL;
  }

  setFirstAt(state: number, label: number): void {
    this.#headOf[state] = this.#search;
    this.#heads[state] = label;
  }

  /** Is a label at least as good as what has these sums and this tie value? The tie value decides between equal costs. */
  dominates(label: number, sums: Float64Array, tie: number): boolean {
    const at = label * this.#stride;
    const cost = this.sums[at] as number;
    if (cost > (sums[0] as number) || (cost === sums[0] && (this.tie[label] as number) > tie)) return false;
    for (let i = 1; i < this.#stride; i++) if ((this.sums[at + i] as number) > (sums[i] as number)) return false;
    return true;
  }

  /** Is what has these sums and this tie value at least as good as a label? */
  isDominatedBy(label: number, sums: Float64Array, tie: number): boolean {
    const at = label * this.#stride;
    const cost = this.sums[at] as number;
    if (cost < (sums[0] as number) || (cost === sums[0] && (this.tie[label] as number) < tie)) return false;
    for (let i = 1; i < this.#stride; i++) if ((this.sums[at + i] as number) < (sums[i] as number)) return false;
    return true;
  }

  /** The order in which labels are extended: by estimate, then tie value, then what is used of the bounds, first bound first. */
  isBefore(a: number, b: number): boolean {
    if (this.estimate[a] !== this.estimate[b]) return (this.estimate[a] as number) < (this.estimate[b] as number);
    if (this.tie[a] !== this.tie[b]) return (this.tie[a] as number) < (this.tie[b] as number);
    for (let i = 1; i < this.#stride; i++) {
      const [own, other] = [this.sums[a * this.#stride + i] as number, this.sums[b * this.#stride + i] as number];
      if (own !== other) return own < other;
    }
    return a < b;
  }

  #grow(): void {
    this.#capacity = Math.max(256, 2 * this.#capacity);
    const grown = <T extends Int32Array | Uint8Array | Float64Array>(column: T, larger: T): T => {
      larger.set(column.subarray(0, larger.length));
      return larger;
    };
    this.state = grown(this.state, new Int32Array(this.#capacity));
    this.arc = grown(this.arc, new Int32Array(this.#capacity));
    this.parent = grown(this.parent, new Int32Array(this.#capacity));
    this.next = grown(this.next, new Int32Array(this.#capacity));
    this.equals = grown(this.equals, new Int32Array(this.#capacity));
    this.isDominated = grown(this.isDominated, new Uint8Array(this.#capacity));
    this.estimate = grown(this.estimate, new Float64Array(this.#capacity));
    this.tie = grown(this.tie, new Float64Array(this.#capacity));
    this.sums = grown(this.sums, new Float64Array(this.#capacity * this.#stride));
  }
}
