import { Problem } from '../model/errors.js';
import type { LinkConstraints, NodeConstraints, OperatorSettings } from '../model/topology.js';
import { linkAttributes, nodeAttributes } from './attributes.js';
import { setAttributes } from './diff-rows.js';
import { sortedNames, sortedNumbers } from './document-rows.js';
import {
  OPERATOR_SOURCE,
  type LayerRow,
  type LinkAttributes,
  type LinkRow,
  type NodeAttributes,
  type NodeRow,
} from './ted-rows.js';

/** The operator's row of an entity, among all that is said of it. */
export function operatorRow<Attributes>(rows: readonly LayerRow<Attributes>[]): LayerRow<Attributes> | undefined {
  return rows.find((row) => row.layer === 'operator' && row.source === OPERATOR_SOURCE);
}

export function linkSettings(id: string, row: LinkRow | undefined): OperatorSettings<LinkConstraints> {
  return { id, version: row?.fromRevision ?? 0, constraints: row?.attributes ?? {} };
}

export function nodeSettings(id: string, row: NodeRow | undefined): OperatorSettings<NodeConstraints> {
  return { id, version: row?.fromRevision ?? 0, constraints: row?.attributes ?? {} };
}

export type WriteMode = 'replace' | 'patch';

/** The operator's row after a change; undefined when nothing is set any more. */
export function nextLinkRow(
  id: string,
  before: LinkRow | undefined,
  constraints: LinkConstraints,
  mode: WriteMode,
  revision: number,
): LinkRow | undefined {
  const { affinities, srlgs } = constraints;
  const merged = {
    ...(mode === 'patch' ? before?.attributes : {}),
    ...withoutUndefined(constraints),
    ...(affinities && { affinities: sortedNames(affinities) }),
    ...(srlgs && { srlgs: sortedNumbers(srlgs) }),
  };
  return openRow(id, setAttributes<LinkAttributes>(linkAttributes, merged), revision);
}

export function nextNodeRow(
  id: string,
  before: NodeRow | undefined,
  constraints: NodeConstraints,
  mode: WriteMode,
  revision: number,
): NodeRow | undefined {
  const merged = { ...(mode === 'patch' ? before?.attributes : {}), ...withoutUndefined(constraints) };
  return openRow(id, setAttributes<NodeAttributes>(nodeAttributes, merged), revision);
}

/** Throws `precondition-failed` when the settings have another version than the writer read. */
export function requireVersion(
  settings: OperatorSettings<unknown>,
  ifVersion: number | undefined,
  field: string,
): void {
  if (ifVersion === undefined || ifVersion === settings.version) return;
  throw new Problem('precondition-failed', {
    detail: `the settings of ${settings.id} have version ${settings.version}, not ${ifVersion}`,
    field,
  });
}

function openRow<Attributes extends object>(
  id: string,
  attributes: LayerRow<Attributes>['attributes'],
  revision: number,
): LayerRow<Attributes> | undefined {
  if (Object.keys(attributes).length === 0) return undefined;
  const row = { layer: 'operator', source: OPERATOR_SOURCE, fromRevision: revision, toRevision: null } as const;
  return { id, ...row, attributes, since: {} };
}

function withoutUndefined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Value;
}
