import type { TopologyDocument, TopologyFormat } from './topology-document.js';
import { readGraphml } from './graphml/read-graphml.js';
import { readRepetitaGraph } from './repetita/read-graph.js';
import { readNative } from './native/read-native.js';

/**
 * Reads a topology file. Throws TopologyFormatError, with line, column and field of everything found wrong; nothing
 * else, whatever the text.
 */
export function parseTopology(text: string, format: TopologyFormat): TopologyDocument {
  switch (format) {
    case 'native':
      return readNative(text);
    case 'graphml':
      return readGraphml(text);
    case 'repetita':
      return readRepetitaGraph(text);
  }
}
