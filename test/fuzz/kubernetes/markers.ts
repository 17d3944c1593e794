import { sql } from 'kysely';
import { expect } from 'vitest';
import { eventually } from '../../../apps/controller/src/testing/eventually.js';
import type { FuzzedClusters } from './fuzzed-clusters.js';
import { ourKinds, SHOP } from './resources.js';
import { attachedNode, block, configMap, lendingBlock, namespace, object, pod, pool, specs } from './valid-objects.js';

const PATIENCE_MS = 90_000;
const germany = 'fcbb:bb00:8:1::';
const DELAYED = ['NL:UK', 'UK:NL'];

/**
 * Changes one valid object of every kind, and waits for what becomes of each: of everything that is followed, the newest
 * state has come through.
 */
export async function comeThrough(clusters: FuzzedClusters, round: number): Promise<void> {
  const n = round % 200;
  const isOdd = round % 2 === 1;
  const zone = `zone-${round}`;
  const node = attachedNode('marker', 5);
  const labels = { 'topology.kubernetes.io/zone': zone };
  clusters.put({ ...node, metadata: { ...node.metadata, labels } });
  clusters.put(pool('marker', `172.20.${n}.0/24`));
  clusters.put(block('marker', 'marker', `172.20.${n}.0/26`));
  clusters.put(lendingBlock('marker', `10.201.${n}.0/26`, 'marker'));
  clusters.put(configMap('amsterdam', isOdd ? [germany] : []));
  clusters.put(namespace('marked', String(4_000 + n)));
  clusters.put(pod('in-marked', '10.4.1.1', { namespace: 'marked' }));
  clusters.put(pod('marker', '10.4.1.2', { color: String(3_000 + n), namespace: SHOP }));
  const variant = { color: 950, maxDelayUs: 60_000 + n, links: DELAYED };
  for (const kind of ourKinds) {
    const spec = specs[kind as keyof typeof specs]({ ...variant, color: kind === 'PolicyMesh' ? 951 : 950 });
    clusters.put(object(kind, 'marker', { spec }));
  }
  const wanted = {
    site: zone,
    prefixes: [`10.201.${n}.1/32`, `172.20.${n}.0/26`],
    transit: isOdd ? [germany] : [],
    members: [`in-marked ${4_000 + n}`, `marker ${3_000 + n}`],
  };
  await eventually(async () => expect(await made(clusters)).toEqual(wanted), PATIENCE_MS);
  for (const kind of ourKinds) {
    expect(await clusters.accepted(kind, 'marker')).toMatchObject({ status: 'True', reason: 'Accepted' });
  }
}

async function made({ system }: FuzzedClusters) {
  const { db } = system.database;
  const node = await db
    .selectFrom('node_layer')
    .select(['site', 'pod_prefixes'])
    .where('node_id', '=', 'dc-marker')
    .where('source', '=', 'kubernetes:paris')
    .where('to_revision', 'is', null)
    .executeTakeFirst();
  const path = await sql<{ body: { segmentLists: readonly { sids: readonly string[] }[] } }>`
    select body from candidate_path where policy_id = 'dc-amsterdam:1001:dc-athens'`.execute(db);
  const members = await sql<{ member: string }>`
    select pod || ' ' || color as member from class_member where pod in ('marker', 'in-marked') order by 1`.execute(db);
  return {
    site: node?.site,
    prefixes: [...(node?.pod_prefixes ?? [])].sort(),
    transit: path.rows[0]?.body.segmentLists[0]?.sids,
    members: members.rows.map(({ member }) => member),
  };
}
