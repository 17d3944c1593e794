/** A policy that was never evaluated, as the evaluator takes it: what the benches do not vary is plain. */
export function newPolicy(color, headend, endpoint, ...paths) {
  return {
    policyId: `${headend}:${color}:${endpoint}`,
    headend,
    color,
    endpoint,
    candidatePaths: paths.map((path, i) => ({
      discriminator: i + 1,
      preference: 100 - i,
      path: { kind: 'dynamic', ...path },
    })),
    fallback: 'drop',
    incumbent: null,
    setupPriority: 7,
    holdPriority: 7,
    bookings: [],
    pinned: null,
    reoptimise: true,
  };
}
