import { Type, type TOptional, type TProperties } from 'typebox';
import { layer, revision } from './identifiers.js';
import { list, object, text } from './scalars.js';

export const Provenance = object(
  'Provenance',
  'Where an effective value came from.',
  {
    layer: layer(),
    source: text('Id of the source within that layer; `operator` for operators.'),
    revision: revision('Revision that set the value.'),
  },
  [{ layer: 'operator', source: 'operator', revision: 17 }],
);

type Keyed<Properties extends TProperties, Value> = { [Key in keyof Properties]: Value };
type AllOptional<Properties extends TProperties> = { [Key in keyof Properties]: TOptional<Properties[Key]> };

/** One optional Provenance per attribute. */
export function provenanceOf<Properties extends TProperties>(description: string, attributes: Properties) {
  const entries = Object.keys(attributes).map((name) => [name, Type.Optional(Provenance)] as const);
  const properties = Object.fromEntries(entries) as Keyed<Properties, TOptional<typeof Provenance>>;
  return object(undefined, description, properties);
}

/** What each layer of each source says: only the attributes it sets. */
export function layerViewOf<Properties extends TProperties>(title: string, attributes: Properties) {
  const entries = Object.entries(attributes).map(([name, schema]) => [name, Type.Optional(schema)] as const);
  const properties = Object.fromEntries(entries) as AllOptional<Properties>;
  return list(
    'What each layer of each source says.',
    object(title, 'What one layer of one source says.', {
      layer: layer(),
      source: text('Id of the source within that layer.'),
      revision: revision('Revision in which this layer last changed.'),
      attributes: object(undefined, 'Only the attributes that this layer sets.', properties),
    }),
    1000,
  );
}
