const maxSlugLength = 48;

/** A label as part of a node id: letters without marks, and one dash for each run of anything an id cannot have. */
function slug(label: string): string {
  return label
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, maxSlugLength)
    .replace(/-+$/, '');
}

export interface LabelledNode {
  /** What identifies the node in its file. */
  readonly key: string;
  readonly label: string;
}

/**
 * Node ids made from labels, by key. Nodes whose labels give the same id get `-<key>` appended, all of them, so that an
 * id does not depend on who comes first; a label without letters and digits gives `node-<key>`.
 */
export function nodeIdsFromLabels(nodes: readonly LabelledNode[]): ReadonlyMap<string, string> {
  const count = new Map<string, number>();
  for (const { label } of nodes) count.set(slug(label), (count.get(slug(label)) ?? 0) + 1);

  const ids = new Map<string, string>();
  const taken = new Set<string>();
  const inOrder = [...nodes].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const claim = (key: string, wanted: string): void => {
    let id = wanted;
    for (let n = 2; taken.has(id); n++) id = `${wanted}.${n}`;
    taken.add(id);
    ids.set(key, id);
  };
  const isOwn = (label: string): boolean => slug(label) !== '' && count.get(slug(label)) === 1;
  for (const { key, label } of inOrder) if (isOwn(label)) claim(key, slug(label));
  for (const { key, label } of inOrder) {
    if (!isOwn(label)) claim(key, `${slug(label) || 'node'}-${slug(key) || 'unnamed'}`.slice(0, 60));
  }
  return ids;
}
