import type { Observer } from '../../chaos/invariants/observer.js';
import type { ObservedSystem } from '../../chaos/observed-system.js';
import { contentOf } from '../../chaos/workload/ledger.js';
import { meshIntent, policyIntent, type Resource, VARIANTS } from '../../chaos/workload/operation.js';

export const NEVER_WITHDRAWN = 'no policy that stays is ever withdrawn from its headend';

const MESH_COLOR = 900_000;
const POLICY_COLOR = 800_000;
const POLICIES = 6;

/** A mesh and policies that are there from the beginning to the end. Returns the ids of all policies. */
export async function createSteady(
  { client, ledger, system }: ObservedSystem,
  agents: readonly string[],
): Promise<ReadonlySet<string>> {
  const url = system.url('controller-a');
  const create = async (resource: Resource, list: string, key: string, intent: unknown): Promise<void> => {
    const answer = await client.send(url, { method: 'POST', path: list, body: intent });
    if (answer.kind === 'unknown' || answer.status !== 201) throw new Error(`${key}: ${JSON.stringify(answer)}`);
    ledger.entry(resource, key, `${list}/${key}`).possible = [contentOf(intent)];
    ledger.accept(answer.requestId, `POST ${list}`);
  };
  const mesh = { ...meshIntent(agents, 0, 0, 1), id: 'steady', color: MESH_COLOR };
  await create('mesh', '/v1/meshes', mesh.id, mesh);
  const ids = new Set(
    agents.flatMap((a) => agents.filter((b) => b !== a).map((b) => `${a}:${String(MESH_COLOR)}:${b}`)),
  );
  for (let slot = 0; slot < POLICIES; slot++) {
    const intent = { ...policyIntent(agents, slot, 0, slot % VARIANTS), color: POLICY_COLOR + slot };
    const id = `${intent.headend}:${String(intent.color)}:${intent.endpoint}`;
    await create('policy', '/v1/sr-policies', id, intent);
    ids.add(id);
  }
  return ids;
}

/** Looks through everything that was ever written for these policies. */
export async function withdrawals(observer: Observer, steady: ReadonlySet<string>): Promise<readonly string[]> {
  const rows = await observer.ask<{ policy_id: string; generation: number; deleted: boolean }>(
    'select policy_id, generation, deleted from chaos.desired where policy_id = any($1) order by step',
    [[...steady]],
  );
  const written = new Set(rows.map(({ policy_id }) => policy_id));
  return [
    ...[...steady].filter((id) => !written.has(id)).map((id) => `${id} was never published`),
    ...rows
      .filter(({ deleted }) => deleted)
      .map(({ policy_id, generation }) => `generation ${String(generation)} withdraws ${policy_id}`),
  ];
}
