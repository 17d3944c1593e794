import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Published networks that the repository does not carry: `WAYMARK_DATASETS` names a folder with the Topology Zoo in
 * `topology-zoo` and REPETITA in `repetita`. Gives [file name, path]; empty without them, and the tests skip.
 */
export function datasetFiles(collection: string, extension: string): readonly (readonly [string, string])[] {
  const root = process.env.WAYMARK_DATASETS;
  if (root === undefined || !existsSync(join(root, collection))) return [];
  return readdirSync(join(root, collection))
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => [name, join(root, collection, name)]);
}
