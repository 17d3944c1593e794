import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applySidPlan, defaultSidPlan, parseTopology, tedFromDocument } from '@waymark/topology-formats';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

/**
 * Abilene and GEANT from examples/; with WAYMARK_DATASETS also the Topology Zoo and REPETITA networks in that folder. `hasSids`: with
 * planned SIDs where they declare none.
 */
export function realNetworks(hasSids = false) {
  const files = [
    ['Abilene', join(EXAMPLES, 'abilene.graphml'), 'graphml'],
    ['GEANT demo', join(EXAMPLES, 'geant-datacentres.yaml'), 'native'],
    ...published('topology-zoo', '.graphml', 'graphml'),
    ...published('repetita', '.graph', 'repetita'),
  ];
  return files.map(([name, path, format]) => {
    const document = parseTopology(readFileSync(path, 'utf8'), format);
    return { name, ted: tedFromDocument(hasSids ? applySidPlan(document, null, defaultSidPlan).document : document) };
  });
}

function published(collection, extension, format) {
  const folder = join(process.env.WAYMARK_DATASETS ?? '', collection);
  if (process.env.WAYMARK_DATASETS === undefined || !existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(extension));
  return names.sort().map((name) => [name, join(folder, name), format]);
}
