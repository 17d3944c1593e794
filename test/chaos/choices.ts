import { seeded, type Random } from './devices/random.js';

/** Choices that are the same for the same seed. */
export class Choices {
  /** Uniform in [0, 1). */
  readonly random: Random;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }

  /** Throws RangeError when there is nothing to choose from. */
  of<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.random() * items.length)];
    if (item === undefined) throw new RangeError('there is nothing to choose from');
    return item;
  }

  /** True as often as this in the long run, 0 to 1. */
  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** Choices of their own: what one part of a plan draws changes nothing of what another draws. */
  fork(): Choices {
    return new Choices(Math.floor(this.random() * 2 ** 32));
  }
}
