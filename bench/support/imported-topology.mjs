import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  applySidPlan,
  defaultSidPlan,
  parseTopology,
  serializeTopology,
  tedFromDocument,
} from '@waymark/topology-formats';
import { randomGeometricTed } from './ted-of.mjs';

const GEANT = fileURLToPath(new URL('../../examples/geant-datacentres.yaml', import.meta.url));

/**
 * A topology to import into a controller, and the TED that it will have: `geant`, or a random geometric one of `nodes` or
 * `nodes:links-per-node`.
 */
export async function importedTopology(name) {
  const content = name === 'geant' ? await readFile(GEANT, 'utf8') : generated(name);
  const { document } = applySidPlan(parseTopology(content, 'native'), null, defaultSidPlan);
  return { content, ted: tedFromDocument(document) };
}

/** Headends that push what the format allows: what a lower limit costs is `bench/engine.mjs`'s to say. */
function generated(name) {
  const [size, linksPerNode] = name.split(':').map(Number);
  const ted = randomGeometricTed(size, linksPerNode);
  return serializeTopology({ ...ted, nodes: ted.nodes.map((node) => ({ ...node, msdHEncaps: 64 })) }, 'json');
}
