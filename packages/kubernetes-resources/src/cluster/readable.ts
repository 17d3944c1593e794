import { Type, type TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** Absent, null (as Go writes what is empty), or that. */
const maybe = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));
const text = () => maybe(Type.String());
const texts = () => maybe(Type.Array(Type.String()));
const textByName = () => maybe(Type.Record(Type.String(), Type.String()));
const members = (properties: Record<string, TSchema>) => Type.Object(properties);

/** What is read of each kind, as far as its type goes; all else may be anything. */
const shapes = {
  Node: members({
    metadata: maybe(members({ labels: textByName(), annotations: textByName() })),
    spec: maybe(members({ podCIDR: text(), podCIDRs: texts() })),
    status: maybe(
      members({
        addresses: maybe(Type.Array(members({ type: text(), address: text() }))),
        conditions: maybe(Type.Array(members({ type: text(), status: text() }))),
      }),
    ),
  }),
  BlockAffinity: members({
    spec: maybe(members({ cidr: text(), node: text(), state: text(), type: text() })),
  }),
  IPPool: members({ spec: maybe(members({ cidr: text(), allowedUses: texts() })) }),
  IPAMBlock: members({
    spec: maybe(
      members({
        cidr: text(),
        affinity: text(),
        allocations: maybe(Type.Array(Type.Union([Type.Integer(), Type.Null()]))),
        attributes: maybe(Type.Array(members({ secondary: textByName() }))),
      }),
    ),
  }),
};

/** Throws TypeError, which says where, for an object that is not as API servers that know its kind give it. */
export function requireReadable(kind: keyof typeof shapes, object: unknown): void {
  const shape = shapes[kind];
  if (Value.Check(shape, object)) return;
  const [error] = Value.Errors(shape, object);
  throw new TypeError(`${error?.instancePath ?? ''} is of another type than it must be`);
}
