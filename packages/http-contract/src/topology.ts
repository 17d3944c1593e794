import { Type, type Static } from 'typebox';
import { layer, nodeId, revision, sourceId, timestamp } from './identifiers.js';
import { choice, flag, integer, list, nullable, object, text, token } from './scalars.js';

export const TopologyHead = object(
  'TopologyHead',
  'Where the topology stands.',
  {
    instance: token(
      'Id of this Waymark installation; it changes when the database is created anew.',
      '^[0-9a-f-]{36}$',
      36,
      ['8c6f0e6e-6d7b-4f62-9a38-2f6f1c1d9a10'],
    ),
    revision: revision('Newest revision of anything.'),
    tedRevision: revision('Newest revision of the topology alone.'),
    computedThrough: revision('Last revision whose consequences for SR policies were published.'),
    nodes: integer('Nodes, in the topology.', { examples: [46] }),
    routers: integer('Nodes that are routers.', { examples: [40] }),
    hosts: integer('Nodes that are hosts.', { examples: [6] }),
    links: integer('Directed links: each adjacency counts twice.', { examples: [134] }),
  },
  [
    {
      instance: '8c6f0e6e-6d7b-4f62-9a38-2f6f1c1d9a10',
      revision: 3,
      tedRevision: 1,
      computedThrough: 3,
      nodes: 46,
      routers: 40,
      hosts: 6,
      links: 134,
    },
  ],
);

export function topologyFormat() {
  return choice("Format of the file: Waymark's own JSON or YAML, Topology Zoo GraphML, or REPETITA .graph.", [
    'native',
    'graphml',
    'repetita',
  ]);
}

/** Characters of a topology file, at most: 64 Mi. */
export const maxTopologyCharacters = 67_108_864;

export const ImportRequest = object(
  'ImportRequest',
  'A topology file, as text.',
  {
    format: topologyFormat(),
    source: sourceId(
      'Names the file. Importing again under the same name changes only what differs; other sources stay.',
    ),
    content: Type.String({
      description: 'The text of the file.',
      minLength: 1,
      maxLength: maxTopologyCharacters,
      examples: ['# anything that docs/topology-format.md describes'],
    }),
  },
  [
    {
      format: 'native',
      source: 'demo',
      content: '# the text of examples/geant-datacentres.yaml',
    },
  ],
);

export type ImportRequest = Static<typeof ImportRequest>;

const EntityCounts = object('EntityCounts', 'How many entities an import added, changed and removed.', {
  added: integer('Added.'),
  changed: integer('Changed.'),
  removed: integer('Removed from this source.'),
});

export const ImportResult = object(
  'ImportResult',
  'What an import changed, or with dryRun would change.',
  {
    revision: revision('Revision that the import wrote; the newest one when nothing changed.'),
    changed: flag('False: the file says what was known already, nothing was written.'),
    nodes: EntityCounts,
    links: EntityCounts,
    planned: object(undefined, 'What the SID plan filled in because the file does not say it.', {
      locators: integer('Locators.'),
      sids: integer('SIDs.'),
    }),
  },
  [
    {
      revision: 1,
      changed: true,
      nodes: { added: 46, changed: 0, removed: 0 },
      links: { added: 134, changed: 0, removed: 0 },
      planned: { locators: 46, sids: 174 },
    },
  ],
);

const changeEntry = {
  revision: revision('Revision of this change.'),
  tedRevision: revision('Topology revision after it.'),
  at: timestamp('When it was committed.'),
  actor: text('Who made it.', 255, ['alice']),
  kind: text('What kind of change.', 100, ['topology-import']),
  summary: text('One sentence for people.', 4000, ['Import of demo: nodes +48 ~0 -0, links +144 ~0 -0']),
};

export const ChangeEntry = object('ChangeEntry', 'One entry of the change log.', changeEntry);

const values = Type.Record(Type.String({ maxLength: 255 }), Type.Unknown({ description: 'Value of the attribute.' }), {
  description: 'Attributes by name, as the layer holds them.',
});

export const EntityChange = object('EntityChange', 'What a change did to one entity in one layer.', {
  entity: choice('Kind of entity.', ['node', 'link', 'locator', 'sid']),
  id: text('Id of the entity.', 255),
  layer: layer(),
  source: text('Source within that layer.'),
  before: nullable(values, 'Attributes before; null: it was not there.'),
  after: nullable(values, 'Attributes after; null: it is gone.'),
});

export const ChangeDetail = object('ChangeDetail', 'One entry of the change log with everything it changed.', {
  ...changeEntry,
  entityCount: integer('How many entities changed.'),
  entities: list('What changed, by entity: the first thousand.', EntityChange, 1000),
});

export const SidConfirmationRequest = Type.Union(
  [
    object(undefined, 'Some nodes.', {
      nodes: list('Nodes whose routers really have what was planned for them.', nodeId(), 10_000, {
        minItems: 1,
        uniqueItems: true,
      }),
    }),
    object(undefined, 'Every node.', { all: Type.Literal(true, { description: 'Every node of the topology.' }) }),
  ],
  {
    title: 'SidConfirmationRequest',
    description: 'The nodes whose planned SIDs and locators are confirmed.',
    examples: [{ nodes: ['UK', 'FR'] }, { all: true }],
  },
);

export const SidConfirmation = object(
  'SidConfirmation',
  'What was confirmed.',
  {
    revision: revision('Revision that wrote it; the newest one when nothing was still planned.'),
    confirmed: object(undefined, 'How much was still only planned.', {
      locators: integer('Locators.'),
      sids: integer('SIDs.'),
    }),
  },
  [{ revision: 5, confirmed: { locators: 2, sids: 11 } }],
);
