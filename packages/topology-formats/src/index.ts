export type {
  DocumentLink,
  DocumentNode,
  ServiceBehavior,
  SidPlan,
  TopologyDocument,
  TopologyFormat,
} from './topology-document.js';
export { TopologyFormatError, maxReportedProblems, type FormatProblem } from './topology-format-error.js';
export { parseTopology } from './parse-topology.js';
export { parseDemands, type Demand } from './repetita/parse-demands.js';
export { defaultIgpMetric, linkDefaults, nodeDefaults, tedFromDocument } from './defaults.js';
export { fibreDelayUs, type Coordinates } from './great-circle.js';
export { defaultSidPlan } from './sid-plan/sid-plan.js';
export { applySidPlan, planSids, type PlannedDocument } from './sid-plan/apply-sid-plan.js';
export {
  serializeTopology,
  type OperatorLinkSettings,
  type OperatorNodeSettings,
  type OperatorSettings,
} from './native/serialize-topology.js';
