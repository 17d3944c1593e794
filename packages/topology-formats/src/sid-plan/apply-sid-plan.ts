import type { Ted } from '@waymark/topology';
import type { SidPlan, TopologyDocument } from '../topology-document.js';

export interface PlannedDocument {
  readonly document: TopologyDocument;
  /** How many locators and SIDs of the document are planned ones. */
  readonly planned: { readonly locators: number; readonly sids: number };
}

export function applySidPlan(document: TopologyDocument, previous: Ted | null, plan: SidPlan): PlannedDocument {
  void previous;
  void plan;
  return { document, planned: { locators: 0, sids: 0 } };
}
