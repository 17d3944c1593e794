import { SaxesParser } from 'saxes';
import { positionAt } from '../native/source-text.js';
import { TopologyFormatError } from '../topology-format-error.js';

/** A node or edge as the file has it: attributes of the element, and its data by the name of their keys. */
export interface GraphmlElement {
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: ReadonlyMap<string, string>;
  /** Of its start tag. */
  readonly offset: number;
}

export interface GraphmlFile {
  readonly nodes: readonly GraphmlElement[];
  readonly edges: readonly GraphmlElement[];
}

/** Longest text that is read, in UTF-16 units. */
export const maxGraphmlLength = 64 * 1024 * 1024;

export function graphmlError(text: string, offset: number, field: string, message: string): TopologyFormatError {
  return new TopologyFormatError({ ...positionAt(text, offset), field, message });
}

/**
 * The nodes and edges of the one graph in a GraphML file, in the order of the file. A document type is refused, so that
 * no entity can be declared; nested graphs, ports and GraphML hyperedges are refused too. Throws TopologyFormatError.
 */
export function readGraphmlElements(text: string): GraphmlFile {
  if (text.length > maxGraphmlLength) {
    const message = `the text is ${text.length} characters long; at most ${maxGraphmlLength} are read`;
    throw new TopologyFormatError({ line: null, column: null, field: '', message });
  }
  const reader = new ElementReader(text);
  return reader.read();
}

interface OpenElement {
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: Map<string, string>;
  readonly offset: number;
}

class ElementReader {
  readonly #text: string;
  readonly #parser = new SaxesParser<{ xmlns: false; position: true }>({ xmlns: false, position: true });
  /** Names of the open elements. */
  readonly #path: string[] = [];
  /** Key id → attribute name. */
  readonly #keys = new Map<string, string>();
  readonly #nodes: OpenElement[] = [];
  readonly #edges: OpenElement[] = [];
  #graphs = 0;
  #tagOffset = 0;
  /** The node or edge that is being read. */
  #open: OpenElement | undefined;
  #dataKey: string | undefined;
  #dataText = '';

  constructor(text: string) {
    this.#text = text;
    this.#parser.on('error', (error) => {
      throw this.#error(this.#parser.position, '', error.message.replace(/^\d+:\d+: /, ''));
    });
    this.#parser.on('doctype', () => {
      throw this.#error(this.#parser.position, 'DOCTYPE', 'a document type is not read here; remove it');
    });
    this.#parser.on('opentagstart', ({ name }) => {
      // The parser stands behind the character that ended the name.
      this.#tagOffset = this.#parser.position - name.length - 2;
    });
    this.#parser.on('opentag', ({ name, attributes }) => this.#opened(name, attributes));
    this.#parser.on('closetag', ({ name }) => this.#closed(name));
    const addText = (part: string): void => {
      if (this.#dataKey !== undefined) this.#dataText += part;
    };
    this.#parser.on('text', addText);
    this.#parser.on('cdata', addText);
  }

  read(): GraphmlFile {
    this.#parser.write(this.#text).close();
    if (this.#graphs === 0) throw this.#error(0, 'graph', 'there is no graph in this file');
    return { nodes: this.#nodes, edges: this.#edges };
  }

  #opened(name: string, attributes: Readonly<Record<string, string>>): void {
    const parent = this.#path.at(-1);
    this.#path.push(name);
    if (parent === undefined && name !== 'graphml') {
      throw this.#error(this.#tagOffset, name, `expected a graphml element, not ${name}`);
    }
    switch (name) {
      case 'key':
        this.#keys.set(this.#required('key', attributes, 'id'), attributes['attr.name'] ?? '');
        break;
      case 'graph':
        this.#openGraph(attributes);
        break;
      case 'node':
      case 'edge':
        this.#openPart(name, parent, attributes);
        break;
      case 'hyperedge':
      case 'port':
        throw this.#error(this.#tagOffset, name, `the GraphML element ${name} is not read here`);
      case 'data':
        this.#openData(parent, attributes);
        break;
    }
  }

  #closed(name: string): void {
    this.#path.pop();
    if (name === 'data' && this.#dataKey !== undefined) {
      this.#open?.data.set(this.#dataKey, this.#dataText.trim());
      this.#dataKey = undefined;
    }
    if (name === 'node' || name === 'edge') this.#open = undefined;
  }

  #openGraph(attributes: Readonly<Record<string, string>>): void {
    this.#graphs += 1;
    if (this.#graphs > 1)
      throw this.#error(this.#tagOffset, 'graph', 'more than one graph: one file holds one network');
    if (attributes.edgedefault === 'directed') {
      throw this.#error(this.#tagOffset, 'edgedefault', 'expected undirected edges, as the Topology Zoo has them');
    }
  }

  #openPart(name: 'node' | 'edge', parent: string | undefined, attributes: Readonly<Record<string, string>>): void {
    if (parent !== 'graph') throw this.#error(this.#tagOffset, name, `${name} stands outside of the graph`);
    if (attributes.directed === 'true') {
      throw this.#error(this.#tagOffset, 'directed', 'expected undirected edges, as the Topology Zoo has them');
    }
    for (const required of name === 'node' ? ['id'] : ['source', 'target']) this.#required(name, attributes, required);
    this.#open = { attributes, data: new Map(), offset: this.#tagOffset };
    (name === 'node' ? this.#nodes : this.#edges).push(this.#open);
  }

  #openData(parent: string | undefined, attributes: Readonly<Record<string, string>>): void {
    if (parent !== 'node' && parent !== 'edge') return;
    const key = this.#required('data', attributes, 'key');
    const name = this.#keys.get(key);
    if (name === undefined) throw this.#error(this.#tagOffset, key, `there is no key "${key}"`);
    this.#dataKey = name;
    this.#dataText = '';
  }

  #required(element: string, attributes: Readonly<Record<string, string>>, name: string): string {
    const value = attributes[name];
    if (value === undefined) throw this.#error(this.#tagOffset, element, `${element} has no attribute "${name}"`);
    return value;
  }

  #error(offset: number, field: string, message: string): TopologyFormatError {
    return graphmlError(this.#text, offset, field, message);
  }
}
