import { sql, type Transaction } from 'kysely';
import { classIdOf } from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';
import type { Page, PageRequest } from '../model/ports.js';
import type {
  ClassMember,
  MemberChanges,
  ServiceClassFilter,
  ServiceClassService,
  ServiceClassView,
} from '../model/service-class.js';
import type { Database, Tables } from '../storage/database.js';
import { NothingChanged, revisionWithin } from '../storage/revision.js';
import { groupBy } from './group-by.js';

/** As the leader of an epoch; rejects when another one leads. */
export type Fenced = <T>(epoch: number, work: (tx: Transaction<Tables>) => Promise<T>) => Promise<T>;

/** Members of service classes in the database. Each change is a revision, which the reaction loop hears of. */
export class ServiceClasses implements ServiceClassService {
  readonly #db: Database;
  readonly #fenced: Fenced;

  constructor(db: Database, fenced: Fenced) {
    this.#db = db;
    this.#fenced = fenced;
  }

  async members(cluster: string): Promise<readonly ClassMember[]> {
    const found = await sql<ClassMember>`
      select headend, address, color, namespace, pod from class_member where cluster = ${cluster}
      order by headend, address
    `.execute(this.#db);
    return found.rows;
  }

  async changeMembers(epoch: number, cluster: string, { put, removed }: MemberChanges): Promise<void> {
    await this.#write(epoch, `kubernetes:${cluster}`, async (tx) => {
      await sql`
        delete from class_member m
        using unnest(${removed.map(({ headend }) => headend)}::text[], ${removed.map(({ address }) => address)}::text[])
          as gone (headend, address)
        where m.cluster = ${cluster} and m.headend = gone.headend and m.address = gone.address
      `.execute(tx);
      await sql`
        insert into class_member (headend, address, color, cluster, namespace, pod)
        select n.headend, n.address, n.color, ${cluster}, n.namespace, n.pod
        from unnest(${put.map(({ headend }) => headend)}::text[], ${put.map(({ address }) => address)}::text[],
          ${put.map(({ color }) => color)}::bigint[], ${put.map(({ namespace }) => namespace)}::text[],
          ${put.map(({ pod }) => pod)}::text[]) as n (headend, address, color, namespace, pod)
        on conflict (headend, address) do update set color = excluded.color, cluster = excluded.cluster,
          namespace = excluded.namespace, pod = excluded.pod
      `.execute(tx);
      return [...put, ...removed].map(({ headend }) => headend);
    });
  }

  async withdrawOtherClusters(epoch: number, clusters: readonly string[]): Promise<void> {
    await this.#write(epoch, 'Waymark', async (tx) => {
      const gone = await sql<{ headend: NodeId }>`
        delete from class_member where cluster <> all(${clusters}::text[]) returning headend
      `.execute(tx);
      return gone.rows.map(({ headend }) => headend);
    });
  }

  async serviceClasses(
    { headend, color }: ServiceClassFilter,
    { limit, after }: PageRequest,
  ): Promise<Page<ServiceClassView>> {
    const [afterHeadend, afterColor] = after?.split(':') ?? [];
    const conditions = [
      ...(headend === undefined ? [] : [sql`headend = ${headend}`]),
      ...(color === undefined ? [] : [sql`color = ${color}`]),
      ...(after === undefined
        ? []
        : [sql`(headend collate "C", color) > (${afterHeadend} collate "C", ${afterColor}::bigint)`]),
    ];
    const where = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
    const keys = await sql<{ headend: NodeId; color: number }>`
      select headend, color from class_member ${where}
      group by headend, color order by headend collate "C", color limit ${limit + 1}
    `.execute(this.#db);
    const items = await this.#views(keys.rows.slice(0, limit));
    const last = items.at(-1);
    const next = keys.rows.length > limit && last !== undefined ? `${last.headend}:${last.color}` : null;
    return { items, next };
  }

  async #views(keys: readonly { readonly headend: NodeId; readonly color: number }[]): Promise<ServiceClassView[]> {
    const headends = keys.map(({ headend }) => headend);
    const ids = keys.map(({ headend, color }) => classIdOf(headend, color));
    const sources = await sql<{ id: string } & ServiceClassView['sources'][number]>`
      select headend || ':' || color || ':' || headend as id, address, cluster, namespace, pod
      from unnest(${headends}::text[], ${keys.map(({ color }) => color)}::bigint[]) as k (headend, color)
      join class_member using (headend, color)
      order by address
    `.execute(this.#db);
    const desired = await sql<{ id: string } & Pick<ServiceClassView, 'generation' | 'install' | 'installReason'>>`
      select k.policy_id as id, d.generation,
        case when w.reason is null then d.outcome else 'failed' end as install,
        coalesce(w.reason, d.outcome_reason) as "installReason"
      from unnest(${headends}::text[], ${ids}::text[]) as k (headend, policy_id)
      left join (select * from desired where not deleted) d using (headend, policy_id)
      left join withheld w on w.headend = k.headend and w.policy_id = k.policy_id and w.generation = coalesce(d.generation, 0)
      where d.generation is not null or w.reason is not null
    `.execute(this.#db);
    const sourcesOf = groupBy(sources.rows, ({ id }) => id);
    const desiredOf = new Map(desired.rows.map((row) => [row.id, row]));
    return keys.map(({ headend, color }) => {
      const id = classIdOf(headend, color);
      const { generation = null, install = 'none', installReason = null } = desiredOf.get(id) ?? {};
      const own = (sourcesOf.get(id) ?? []).map(({ address, cluster, namespace, pod }) => {
        return { address, cluster, namespace, pod };
      });
      return { headend, color, sources: own, generation, install, installReason };
    });
  }

  /** `work` returns the headends whose members are different now. */
  async #write(
    epoch: number,
    actor: string,
    work: (tx: Transaction<Tables>) => Promise<readonly NodeId[]>,
  ): Promise<void> {
    const header = {
      actor,
      kind: 'service-classes',
      summary: (headends: readonly NodeId[]) => `pods of service classes: changes on ${headends.length} headends`,
      ted: false,
    };
    await revisionWithin(
      (inside) => this.#fenced(epoch, inside),
      header,
      async (tx, revision) => {
        const headends = [...new Set(await work(tx))].sort();
        if (headends.length === 0) throw new NothingChanged(headends);
        await sql`
          insert into class_change (headend, revision) select headend, ${revision} from unnest(${headends}::text[]) as headend
          on conflict (headend) do update set revision = excluded.revision
        `.execute(tx);
        return headends;
      },
    );
  }
}
