import type { Layer, Provenance } from '../model/topology.js';
import type { Attribute, Authority } from './attributes.js';
import { setAt, type LayerRow } from './ted-rows.js';

const layerRank: Readonly<Record<Layer, number>> = { discovered: 0, measured: 1, operator: 2 };

/**
 * The row whose value of one attribute is in force, or undefined when none sets it. Across layers by the attribute's
 * authority; within a layer the source that set it last, and at the same revision the source with the smaller id.
 */
export function rowInForce<Attributes>(
  rows: readonly LayerRow<Attributes>[],
  name: keyof Attributes & string,
  authority: Authority,
): LayerRow<Attributes> | undefined {
  let best: LayerRow<Attributes> | undefined;
  for (const row of rows) {
    if (row.attributes[name] === undefined || !mayDecide(row.layer, authority)) continue;
    if (best === undefined || precedes(row, best, name, authority)) best = row;
  }
  return best;
}

function mayDecide(layer: Layer, authority: Authority): boolean {
  switch (authority) {
    case 'routers':
      return layer === 'discovered';
    case 'operator':
      return layer === 'operator';
    case 'constraint':
    case 'limit':
      return true;
  }
}

function precedes<Attributes>(
  a: LayerRow<Attributes>,
  b: LayerRow<Attributes>,
  name: keyof Attributes & string,
  authority: Authority,
): boolean {
  if (authority === 'limit') {
    const difference = Number(a.attributes[name]) - Number(b.attributes[name]);
    if (difference !== 0) return difference < 0;
  }
  if (a.layer !== b.layer) return layerRank[a.layer] > layerRank[b.layer];
  const newer = setAt(a, name) - setAt(b, name);
  return newer === 0 ? a.source < b.source : newer > 0;
}

type Table<Attributes> = { readonly [Name in keyof Attributes]-?: Attribute };

/** Lays the values in force over `entity`, which comes with the defaults and is returned. */
export function layValues<Attributes extends object, Entity extends Attributes>(
  table: Table<Attributes>,
  rows: readonly LayerRow<Attributes>[],
  entity: Entity,
): Entity {
  for (const row of rows) {
    for (const name of Object.keys(row.attributes) as (keyof Attributes & string)[]) {
      const value = row.attributes[name] as Entity[keyof Attributes & string] | undefined;
      if (value !== undefined && rowInForce(rows, name, table[name].authority) === row) entity[name] = value;
    }
  }
  return entity;
}

/** Where each effective value comes from; attributes at their default have no entry. */
export function provenanceOf<Attributes extends object>(
  table: Table<Attributes>,
  rows: readonly LayerRow<Attributes>[],
): Partial<Record<keyof Attributes, Provenance>> {
  const provenance: Partial<Record<keyof Attributes, Provenance>> = {};
  for (const name of namesOf(table)) {
    const row = rowInForce(rows, name, table[name].authority);
    if (row !== undefined) provenance[name] = { layer: row.layer, source: row.source, revision: setAt(row, name) };
  }
  return provenance;
}

export function namesOf<Attributes extends object>(table: Table<Attributes>): readonly (keyof Attributes & string)[] {
  return Object.keys(table) as (keyof Attributes & string)[];
}
