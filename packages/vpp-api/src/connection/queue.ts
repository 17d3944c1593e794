/** First in, first out, each in constant time however many there are. */
export class Queue<T> {
  #arriving: T[] = [];
  /** Last first. */
  #leaving: T[] = [];

  get length(): number {
    return this.#arriving.length + this.#leaving.length;
  }

  push(element: T): void {
    this.#arriving.push(element);
  }

  shift(): T | undefined {
    if (this.#leaving.length === 0) {
      this.#leaving = this.#arriving.reverse();
      this.#arriving = [];
    }
    return this.#leaving.pop();
  }
}
