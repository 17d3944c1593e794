import pg from 'pg';

/** Everything that was ever written, in the order of the commits for each row, by triggers that the system knows nothing of. */
const SCHEMA = `
  create schema chaos;
  create sequence chaos.step;
  create table chaos.leader (step bigint default nextval('chaos.step'), epoch bigint, holder text);
  create table chaos.headend (step bigint default nextval('chaos.step'), node_id text, generation bigint, epoch bigint);
  create table chaos.desired (step bigint default nextval('chaos.step'), headend text, policy_id text, generation bigint,
    deleted boolean, body bytea);
  create function chaos.leader_written() returns trigger language plpgsql as $$ begin
    insert into chaos.leader (epoch, holder) values (new.epoch, new.holder); return null; end $$;
  create function chaos.headend_written() returns trigger language plpgsql as $$ begin
    insert into chaos.headend (node_id, generation, epoch) values (new.node_id, new.generation, new.epoch);
    return null; end $$;
  create function chaos.desired_written() returns trigger language plpgsql as $$ begin
    insert into chaos.desired (headend, policy_id, generation, deleted, body)
    values (new.headend, new.policy_id, new.generation, new.deleted, new.body); return null; end $$;
  create trigger chaos after insert or update on leader for each row execute function chaos.leader_written();
  create trigger chaos after insert or update of generation, epoch on headend
    for each row execute function chaos.headend_written();
  create trigger chaos after insert or update of generation, deleted, body on desired
    for each row execute function chaos.desired_written();
  insert into chaos.leader (epoch, holder) select epoch, holder from leader;
  insert into chaos.headend (node_id, generation, epoch) select node_id, generation, epoch from headend;
  insert into chaos.desired (headend, policy_id, generation, deleted, body)
    select headend, policy_id, generation, deleted, body from desired;
`;

export interface LeaderWritten {
  readonly step: number;
  readonly epoch: number;
  readonly holder: string | null;
}

export interface HeadendWritten {
  readonly step: number;
  readonly node_id: string;
  readonly generation: number;
  readonly epoch: number;
}

export interface DesiredWritten {
  readonly step: number;
  readonly headend: string;
  readonly policy_id: string;
  readonly generation: number;
  readonly deleted: boolean;
  readonly body: Buffer;
}

export interface HeadendRow {
  readonly node_id: string;
  readonly generation: number;
  readonly epoch: number;
  readonly acked_generation: number;
  readonly state_hash: Buffer;
}

export interface DesiredRow {
  readonly headend: string;
  readonly policy_id: string;
  readonly generation: number;
  readonly body: Buffer;
  readonly outcome: string;
  readonly outcome_reason: string | null;
}

/** Looks into the database itself, past everything that is tested. */
export class Observer {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  static async begin(url: string): Promise<Observer> {
    const observer = new Observer(url);
    await observer.ask(SCHEMA);
    return observer;
  }

  /** On a session of its own. Numbers come as numbers. */
  async ask<Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: 10_000,
      query_timeout: 60_000,
    });
    client.setTypeParser(pg.types.builtins.INT8, Number);
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query(text, [...values])).rows as Row[];
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  leaders(): Promise<readonly LeaderWritten[]> {
    return this.ask('select * from chaos.leader order by step');
  }

  headendsWritten(): Promise<readonly HeadendWritten[]> {
    return this.ask('select * from chaos.headend order by step');
  }

  desiredWritten(headend: string): Promise<readonly DesiredWritten[]> {
    return this.ask('select * from chaos.desired where headend = $1 order by generation, step', [headend]);
  }

  headends(): Promise<readonly HeadendRow[]> {
    return this.ask('select * from headend order by node_id');
  }

  desired(): Promise<readonly DesiredRow[]> {
    return this.ask('select * from desired where not deleted order by policy_id');
  }
}
