import type { Static } from 'typebox';
import type {
  DisjointAnswer,
  DisjointRequest,
  PathAnswer,
  PathConstraints,
  PathRequest,
  Proof,
  TedLink,
  TedNode,
} from '@waymark/topology';
import { describe, expectTypeOf, it } from 'vitest';
import type * as contract from './index.js';

type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** A schema's type as services see it. */
type Of<Schema extends keyof typeof contract> = DeepReadonly<Static<(typeof contract)[Schema]>>;

// Each schema says exactly what the model type says: neither can grow a member that the other does not have.
describe('the schemas and the model of packages/topology', () => {
  it('agree on nodes and links', () => {
    expectTypeOf<Of<'Node'>>().toEqualTypeOf<DeepReadonly<TedNode>>();
    expectTypeOf<Of<'Link'>>().toEqualTypeOf<DeepReadonly<TedLink>>();
  });

  it('agree on constraints and requests', () => {
    expectTypeOf<Of<'PathConstraints'>>().toExtend<PathConstraints>();
    expectTypeOf<PathConstraints>().toExtend<Of<'PathConstraints'>>();
    expectTypeOf<Omit<Of<'PathRequest'>, 'revision'>>().toExtend<PathRequest>();
    expectTypeOf<PathRequest>().toExtend<Of<'PathRequest'>>();
  });

  it('agree on groups of disjoint paths', () => {
    expectTypeOf<Omit<Of<'DisjointRequest'>, 'revision'>>().toExtend<DisjointRequest>();
    expectTypeOf<DisjointRequest>().toExtend<Of<'DisjointRequest'>>();
    expectTypeOf<Of<'DisjointAnswer'>>().toExtend<DisjointAnswer>();
    expectTypeOf<DisjointAnswer>().toExtend<Of<'DisjointAnswer'>>();
  });

  it('agree on answers and proofs', () => {
    expectTypeOf<Of<'PathAnswer'>>().toExtend<PathAnswer>();
    expectTypeOf<PathAnswer>().toExtend<Of<'PathAnswer'>>();
    expectTypeOf<Of<'Proof'>>().toExtend<Proof>();
    expectTypeOf<Proof>().toExtend<Of<'Proof'>>();
  });
});
