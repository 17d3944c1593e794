import { Document, isMap, isScalar, isSeq, visit } from 'yaml';

/** Lists whose entries take one line each. */
const lineLists = new Set(['links', 'locators', 'sids']);

/** YAML as a person would write it: a line per link, locator and SID, and no folded or repeated lines. */
export function writeYaml(file: object): string {
  const document = new Document(file, { aliasDuplicateObjects: false });
  visit(document, {
    Pair(_, { key, value }) {
      if (!isSeq(value)) return;
      const ofLines = isScalar(key) && typeof key.value === 'string' && lineLists.has(key.value);
      for (const item of value.items) if (ofLines && isMap(item)) item.flow = true;
      if (value.items.every(isScalar)) value.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
