import * as highsModule from 'highs';

// The typings miss that the module is its default export.
const loadHighs = (highsModule as unknown as { readonly default: typeof highsModule.default.default }).default;

/** One that has solved many programmes runs out of its memory; loading one takes a while. */
const SOLVES_PER_INSTANCE = 25;

let loaded: Awaited<ReturnType<typeof loadHighs>> | undefined;
let solves = 0;

/** Solves a programme in CPLEX LP format with HiGHS, as exactly as that can: an oracle for tests. */
export async function solve(programme: string): Promise<{ readonly status: string; readonly value: number }> {
  if (solves++ % SOLVES_PER_INSTANCE === 0) loaded = undefined;
  loaded ??= await loadHighs();
  // Tolerances tighter than its own made it call optimal what was not.
  const options = { mip_rel_gap: 0, presolve: 'off' as const };
  const { Status, ObjectiveValue } = loaded.solve(programme, options);
  return { status: Status, value: ObjectiveValue };
}
