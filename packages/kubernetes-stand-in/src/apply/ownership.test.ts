import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../model/api-error.js';
import { wholeObject, type Schema } from '../schema/schema.js';
import { difference, intersection, isMember, stepsBelow, union, type FieldSet } from './field-set.js';
import { applyConfiguration } from './managed-fields.js';

const value: Schema = { type: 'integer' };
const item: Schema = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' }, a: value, b: value },
};
const SPEC: Schema = {
  type: 'object',
  properties: {
    one: value,
    two: value,
    deep: { type: 'object', properties: { x: value, y: { type: 'object', properties: { z: value } } } },
    open: { type: 'object', additionalProperties: value },
    whole: { type: 'array', items: value },
    set: { type: 'array', items: value, 'x-kubernetes-list-type': 'set' },
    items: { type: 'array', items: item, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
  },
};
const schema = wholeObject({ type: 'object', properties: { spec: SPEC } });

interface Spec {
  readonly one?: number;
  readonly two?: number;
  readonly deep?: { readonly x?: number; readonly y?: { readonly z: number } };
  readonly open?: Readonly<Record<string, number>>;
  readonly whole?: readonly number[];
  readonly set?: readonly number[];
  readonly items?: readonly { readonly name: string; readonly a?: number; readonly b?: number }[];
}

/** What a spec says, piece by piece, spelled out for this schema alone: the piece's name and its value. */
function piecesOf(spec: Spec): ReadonlyMap<string, string> {
  const pieces: [string, unknown][] = [
    ['one', spec.one],
    ['two', spec.two],
    ['deep.x', spec.deep?.x],
    ['deep.y.z', spec.deep?.y?.z],
    ['whole', spec.whole],
    ...Object.entries(spec.open ?? {}).map(([key, inner]): [string, unknown] => [`open.${key}`, inner]),
    ...(spec.set ?? []).map((inner): [string, unknown] => [`set.${inner}`, true]),
    ...(spec.items ?? []).flatMap(({ name, a, b }): [string, unknown][] => [
      [`items.${name}`, true],
      [`items.${name}.a`, a],
      [`items.${name}.b`, b],
    ]),
  ];
  return new Map(pieces.filter(([, inner]) => inner !== undefined).map(([key, inner]) => [key, JSON.stringify(inner)]));
}

/** Server-side apply on a bag of pieces, each with its owners. */
class Oracle {
  #pieces = new Map<string, { value: string; owners: ReadonlySet<string> }>();

  /** @returns the pieces in conflict; nothing has changed when there are some */
  apply(manager: string, spec: Spec, force: boolean): readonly string[] {
    const wanted = piecesOf(spec);
    const conflicts = [...wanted].filter(([key, wish]) => {
      const found = this.#pieces.get(key);
      return found !== undefined && found.value !== wish && [...found.owners].some((owner) => owner !== manager);
    });
    if (conflicts.length > 0 && !force) return conflicts.map(([key]) => key);
    for (const [key, { value: old, owners }] of [...this.#pieces]) {
      const others = new Set([...owners].filter((owner) => owner !== manager));
      if (wanted.has(key)) continue;
      if (others.size === 0) this.#pieces.delete(key);
      else this.#pieces.set(key, { value: old, owners: others });
    }
    for (const [key, wish] of wanted) {
      const found = this.#pieces.get(key);
      const owners = found?.value === wish ? [...found.owners, manager] : [manager];
      this.#pieces.set(key, { value: wish, owners: new Set(owners) });
    }
    return [];
  }

  get pieces(): ReadonlyMap<string, string> {
    return new Map([...this.#pieces].map(([key, piece]) => [key, piece.value]));
  }
}

const number = fc.integer({ min: 0, max: 2 });
const some = <T extends object>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  arbitrary.filter((object) => Object.keys(object).length > 0);
const arbitrarySpec: fc.Arbitrary<Spec> = some(
  fc.record(
    {
      one: number,
      two: number,
      deep: some(fc.record({ x: number, y: fc.record({ z: number }) }, { requiredKeys: [] })),
      open: some(fc.dictionary(fc.constantFrom('p', 'q'), number)),
      whole: fc.array(number, { minLength: 1, maxLength: 2 }),
      set: fc.uniqueArray(number, { minLength: 1 }),
      items: fc.uniqueArray(
        fc.record({ name: fc.constantFrom('i', 'j', 'k'), a: number, b: number }, { requiredKeys: ['name'] }),
        { minLength: 1, maxLength: 3, selector: ({ name }) => name },
      ),
    },
    { requiredKeys: [] },
  ),
);

describe('server-side apply by several managers', () => {
  it('leaves what a bag of owned pieces leaves, and conflicts where that does', () => {
    const step = fc.record({ manager: fc.constantFrom('a', 'b', 'c'), spec: arbitrarySpec, force: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
        const oracle = new Oracle();
        let live: Readonly<Record<string, unknown>> = { apiVersion: 'v1', kind: 'T', metadata: { name: 't' } };
        for (const { manager, spec, force } of steps) {
          const writer = { manager, operation: 'Apply' as const, apiVersion: 'v1', subresource: undefined, time: '' };
          const configuration = { apiVersion: 'v1', kind: 'T', metadata: { name: 't' }, spec };
          const options = { force, subject: { group: '', kind: 't' }, ignores: () => false };
          const expected = oracle.apply(manager, spec, force);
          try {
            const { object, managedFields } = applyConfiguration(live, configuration, schema, writer, options);
            expect(expected).toEqual([]);
            live = { ...object, metadata: { name: 't', managedFields } };
          } catch (error) {
            if (!(error instanceof ApiError)) throw error;
            const { causes } = error.status['details'] as { readonly causes: readonly { readonly field: string }[] };
            expect(new Set(causes.map(({ field }) => pieceAt(field)))).toEqual(new Set(expected));
          }
          // Nobody applied an empty container, so none is left behind.
          expect(JSON.stringify(live['spec'] ?? 1)).not.toMatch(/\{\}|\[\]/);
          expect(new Map([...piecesOf((live['spec'] ?? {}) as Spec)].sort())).toEqual(
            new Map([...oracle.pieces].sort()),
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** `.spec.items[name="i"].a` as the oracle names it. */
function pieceAt(field: string): string {
  return field
    .replace('.spec.', '')
    .replace(/\[name="(\w)"\]/, '.$1')
    .replace(/\[=(\d)\]/, '.$1');
}

describe('sets of fields', () => {
  const { set } = fc.letrec<{ set: FieldSet; node: FieldSet }>((tie) => ({
    set: fc.dictionary(fc.constantFrom('f:a', 'f:b', 'k:{"n":1}'), tie('node'), { maxKeys: 3 }),
    node: fc.oneof(
      { maxDepth: 3 },
      fc.constant({}),
      tie('set'),
      tie('set').map((below) => ({ '.': {}, ...below })),
    ),
  }));
  const paths = (at: FieldSet, prefix = ''): readonly string[] =>
    stepsBelow(at).flatMap((step) => {
      const below = at[step] ?? {};
      return [...(isMember(below) ? [`${prefix}/${step}`] : []), ...paths(below, `${prefix}/${step}`)];
    });

  it('unite, differ and meet as sets of paths do', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [left, right] = [new Set(paths(a)), new Set(paths(b))];
        const all = [...new Set([...left, ...right])];
        expect(new Set(paths(union(a, b)))).toEqual(new Set(all));
        expect(new Set(paths(difference(a, b)))).toEqual(
          new Set(all.filter((path) => left.has(path) && !right.has(path))),
        );
        expect(new Set(paths(intersection(a, b)))).toEqual(
          new Set(all.filter((path) => left.has(path) && right.has(path))),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
