import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseTopology, tedFromDocument } from '@waymark/topology-formats';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

/** Abilene and GEANT from examples/; with WAYMARK_DATASETS also the Topology Zoo and REPETITA networks in that folder. */
export function realNetworks() {
  const files = [
    ['Abilene', join(EXAMPLES, 'abilene.graphml'), 'graphml'],
    ['GEANT demo', join(EXAMPLES, 'geant-datacentres.yaml'), 'native'],
    ...published('topology-zoo', '.graphml', 'graphml'),
    ...published('repetita', '.graph', 'repetita'),
  ];
  return files.map(([name, path, format]) => ({
    name,
    ted: tedFromDocument(parseTopology(readFileSync(path, 'utf8'), format)),
  }));
}

function published(collection, extension, format) {
  const folder = join(process.env.WAYMARK_DATASETS ?? '', collection);
  if (process.env.WAYMARK_DATASETS === undefined || !existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(extension));
  return names.sort().map((name) => [name, join(folder, name), format]);
}
