import { parsePrefix } from '@waymark/topology';
import { defaultSidPlan } from '../sid-plan/sid-plan.js';
import { TopologyFormatError } from '../topology-format-error.js';
import type { SidPlan, TopologyDocument } from '../topology-document.js';
import { checkDocument } from './check-document.js';
import { operatorFields, sidPlanFields } from './fields.js';
import { readJsonText } from './json-text.js';
import type { PlacedNode } from './placed.js';
import { ProblemList } from './problem-list.js';
import { readLinks } from './read-links.js';
import { readNode } from './read-node.js';
import { isObject, list, object, readObject, show, type Fields, type Reader } from './readers.js';
import { pointerTo, type PlainValue, type SourceText } from './source-text.js';
import { readYamlText } from './yaml-text.js';

/** Longest texts that are read, in UTF-16 units: well beyond 100,000 links, and short of what harms the process. */
export const maxJsonLength = 128 * 1024 * 1024;
export const maxYamlLength = 32 * 1024 * 1024;

/** Reads the native format. Throws TopologyFormatError, and nothing else. */
export function readNative(text: string): TopologyDocument {
  const source = readSource(text.startsWith('\ufeff') ? text.slice(1) : text);
  const problems = new ProblemList();
  const document = readDocument(source.value, problems);
  problems.throwIfAny(source);
  return document;
}

function readSource(text: string): SourceText {
  const isJson = /^[ \t\r\n]*\{/.test(text);
  const limit = isJson ? maxJsonLength : maxYamlLength;
  if (text.length > limit) {
    const message = `the text is ${text.length} characters long; at most ${limit} are read as ${isJson ? 'JSON' : 'YAML'}`;
    throw new TopologyFormatError({ line: null, column: null, field: '', message });
  }
  return isJson ? readJsonText(text) : readYamlText(text);
}

const entries: Reader<readonly PlainValue[]> = list((value) => value);

const version: Reader<number> = (value, pointer, problems) => {
  if (value === 1) return 1;
  problems.report(pointer, `this version reads format 1, not ${show(value)}`);
  return undefined;
};

const sidPlan: Reader<SidPlan> = (value, pointer, problems) => {
  const read = object(sidPlanFields)(value, pointer, problems);
  if (read === undefined) return undefined;
  const plan = { ...defaultSidPlan, ...read };
  if (parsePrefix(plan.block).length + plan.nodeBits + plan.functionBits > 128) {
    problems.report(pointer, 'the lengths of block, node and function add up to more than 128 bits');
  }
  if (plan.services.length > 1 && plan.services.includes('End.DT46')) {
    problems.report(`${pointer}/services`, 'End.DT46 serves both families: no other service SID goes with it');
  }
  return plan;
};

export const topLevelFields = {
  waymark: version,
  sidPlan,
  nodes: entries,
  links: entries,
  operator: object(operatorFields),
} as const satisfies Fields;

function readDocument(value: PlainValue, problems: ProblemList): TopologyDocument {
  if (!isObject(value)) {
    problems.report('', `expected a topology with "waymark: 1", nodes and links, not ${show(value)}`);
    return { nodes: [], links: [], sidPlan: null };
  }
  const read = readObject(value, '', problems, topLevelFields, ['waymark', 'nodes']);
  const nodeEntries = read?.nodes ?? [];
  const nodes = nodeEntries
    .map((entry, i) => readNode(entry, pointerTo('/nodes', i), problems))
    .filter((node): node is PlacedNode => node !== undefined);
  const links = readLinks(read?.links ?? [], '/links', problems);
  checkDocument({ nodes, links, allNodesRead: nodes.length === nodeEntries.length }, problems);
  return {
    nodes: nodes.map((node) => node.value),
    links: links.map((link) => link.value),
    sidPlan: read?.sidPlan ?? null,
  };
}
