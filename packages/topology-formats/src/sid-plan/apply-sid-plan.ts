import { type Locator, type NodeId, type Sid, type Ted, type TedNode } from '@waymark/topology';
import type { DocumentNode, SidPlan, TopologyDocument } from '../topology-document.js';
import { knownAddresses, SortedRanges } from '../address-ranges.js';
import { LocatorPlanner } from './locator-planner.js';
import { adjacenciesByRouter, missingSids, type MissingSid } from './missing-sids.js';
import { planNodeSids } from './plan-node-sids.js';

export interface PlannedDocument {
  readonly document: TopologyDocument;
  /** How many locators and SIDs the plan has filled in. */
  readonly planned: { readonly locators: number; readonly sids: number };
}

/**
 * Fills in the locators and SIDs that the document does not declare, marked as planned.
 *
 * The result depends on the document, the plan and what `previous` already had planned, never on the order of entries:
 * what was planned stays as it was; new values take the lowest numbers that nothing in the document or in `previous`
 * uses, nodes in the order of their ids. So the values of a node that is gone are not given away by the same import.
 * Throws TopologyFormatError when the plan has no numbers left.
 */
export function applySidPlan(document: TopologyDocument, previous: Ted | null, plan: SidPlan): PlannedDocument {
  const work = planSids(document, previous, plan);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** The same for callers with other things to do: it yields wherever it may be interrupted. */
export function* planSids(
  document: TopologyDocument,
  previous: Ted | null,
  plan: SidPlan,
): Generator<void, PlannedDocument> {
  const adjacencies = adjacenciesByRouter(document);
  const wants = new Map<NodeId, readonly MissingSid[]>();
  for (const node of document.nodes) {
    const missing = missingSids(node, adjacencies.get(node.id) ?? [], plan);
    if (missing.length > 0) wants.set(node.id, missing);
  }
  const before = new Map((previous?.nodes ?? []).map((node) => [node.id, node]));
  const declared = knownAddresses(document.nodes, document.links);
  yield;
  const earlier = knownAddresses(previous?.nodes ?? [], previous?.links ?? []);
  const known = {
    inUse: [...declared.inUse, ...earlier.inUse],
    locators: [...declared.locators, ...earlier.locators],
  };
  yield;
  const locators = planLocators(
    document.nodes.filter(({ id }) => wants.has(id)),
    before,
    new LocatorPlanner(plan, { declared, known }),
  );
  yield;
  const inUse = { declared: new SortedRanges(declared.inUse), known: new SortedRanges(known.inUse) };

  const planned = { locators: 0, sids: 0 };
  const nodes: DocumentNode[] = [];
  for (const node of document.nodes) {
    yield;
    const home = locators.get(node.id);
    const missing = wants.get(node.id);
    if (home === undefined || missing === undefined) {
      nodes.push(node);
      continue;
    }
    const added = planNodeSids({ node, locator: home, missing, before: before.get(node.id), inUse, plan });
    planned.sids += added.length;
    if (home.origin === 'planned') planned.locators += 1;
    nodes.push(withSids(node, home, added));
  }
  return { document: { ...document, nodes }, planned };
}

/** Where each node's planned SIDs go: a locator that the file declares, the one planned before, or a new one. */
function planLocators(
  nodes: readonly DocumentNode[],
  before: ReadonlyMap<NodeId, TedNode>,
  planner: LocatorPlanner,
): ReadonlyMap<NodeId, Locator> {
  const homes = new Map<NodeId, Locator>();
  const homeless: NodeId[] = [];
  for (const node of nodes) {
    const home = node.locators?.find(canHoldSids) ?? planner.kept(node, before.get(node.id));
    if (home === undefined) homeless.push(node.id);
    else homes.set(node.id, home);
  }
  for (const id of homeless.sort()) homes.set(id, planner.next(id));
  return homes;
}

function canHoldSids({ algorithm, anycast, structure }: Locator): boolean {
  return algorithm === 0 && !anycast && structure.functionBits > 0;
}

function withSids(node: DocumentNode, home: Locator, added: readonly Sid[]): DocumentNode {
  const locators = node.locators ?? [];
  return {
    ...node,
    locators: locators.includes(home) ? locators : [...locators, home],
    sids: [...(node.sids ?? []), ...added],
  };
}
