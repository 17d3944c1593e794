import fc from 'fast-check';

/** A text with a few pieces cut out, doubled or replaced: near enough to be parsed a long way, and mostly wrong. */
export function mutated(text: string, pieces: readonly string[]): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(text.length),
    length: fc.integer({ min: 0, max: 12 }),
    piece: fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 4, unit: 'binary' })),
    twice: fc.boolean(),
  });
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) =>
    edits.reduce((result, { at, length, piece, twice }) => {
      const kept = twice ? result.slice(at, at + length) : '';
      return result.slice(0, at) + piece + kept + kept + result.slice(at + length);
    }, text),
  );
}
