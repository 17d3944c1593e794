import fc from 'fast-check';

/**
 * The seed of every property. One and the same by default, so that a run says something about the commit and not about
 * its luck; `PROPERTY_SEED=random` explores, and what it finds is replayed with the number that fast-check prints.
 */
const given = process.env['PROPERTY_SEED'] ?? '1';

if (given !== 'random') {
  const seed = Number(given);
  if (!Number.isInteger(seed)) throw new Error(`PROPERTY_SEED is "${given}": give an integer, or random.`);
  fc.configureGlobal({ seed });
}
