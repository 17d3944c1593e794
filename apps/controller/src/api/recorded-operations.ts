import type { OperationId } from './operation.js';

/**
 * Operations that a recording has, by what they do. Jobs (path batches, failure sweeps) are not among them: they change
 * nothing, and how far they are when somebody asks depends on the machine.
 */
const operations = {
  importTopology: 'changes',
  setManyLinkConstraints: 'changes',
  putLinkConstraints: 'changes',
  patchLinkConstraints: 'changes',
  clearLinkConstraints: 'changes',
  putNodeConstraints: 'changes',
  patchNodeConstraints: 'changes',
  clearNodeConstraints: 'changes',
  confirmPlannedSids: 'changes',
  computePaths: 'computes',
  computeDisjointPaths: 'computes',
  proveSegmentList: 'computes',
  createPolicy: 'changes',
  putPolicy: 'changes',
  deletePolicy: 'changes',
  pinPolicy: 'changes',
  unpinPolicy: 'changes',
  rollBackPolicy: 'changes',
  predictPolicyDetours: 'computes',
  createMesh: 'changes',
  putMesh: 'changes',
  deleteMesh: 'changes',
  dryRun: 'computes',
  postSourceEvents: 'changes',
  releaseSource: 'changes',
  removeAgent: 'changes',
  createApiKey: 'changes',
  rotateApiKey: 'changes',
  deleteApiKey: 'changes',
} as const satisfies Partial<Record<OperationId, 'changes' | 'computes'>>;

export const recordedOperations: ReadonlyMap<string, 'changes' | 'computes'> = new Map(Object.entries(operations));

/** Its answer has what nobody else may read. */
export function isSecret(operation: string): boolean {
  return operation === 'createApiKey' || operation === 'rotateApiKey';
}
