import type { NodeId } from '@waymark/topology';
import { sql } from 'kysely';
import { storeAcks, type AckRecord } from '../distribution/ack-store.js';
import { writeForAgent } from '../distribution/agent-features.js';
import { recordHellos, type HelloRecord } from '../distribution/agent-records.js';
import { raiseGenerations, type PendingDelta } from '../distribution/desired-store.js';
import type { AheadReport } from '../distribution/agent-entries.js';
import { fencedTransaction } from '../distribution/fence.js';
import { storeLiveness, type LivenessRecord } from '../distribution/liveness-store.js';
import type { CallInput, EntryLine, RequestInput } from '../model/recording.js';
import { recordedAnswer } from '../api/recorded-answer.js';
import { evaluateEntry, lookEntry, publishEntry } from '../policies/reaction-entries.js';
import { ReactionSteps, type EvaluatedChunk } from '../policies/reaction-steps.js';
import type { Sight } from '../policies/observation.js';
import type { Database } from '../storage/database.js';
import { ReplayFault } from './read-recording.js';
import type { ReplayedController } from './replayed-controller.js';

/** One term of the leader, and what its last steps came to. */
interface Term {
  readonly steps: ReactionSteps<PendingDelta>;
  sight?: Sight;
  evaluated?: EvaluatedChunk;
}

/** Lets one controller take in what another one did, an entry at a time. */
export class EntryReplay {
  readonly #db: Database;
  readonly #controller: ReplayedController;
  readonly #terms = new Map<number, Term>();

  constructor(db: Database, controller: ReplayedController) {
    this.#db = db;
    this.#controller = controller;
  }

  /** What comes of it. Rejects as the entry does. */
  async run({ kind, input }: EntryLine): Promise<unknown> {
    const db = this.#db;
    switch (kind) {
      case 'request':
        return this.#request(input as RequestInput);
      case 'call':
        return this.#call(input as CallInput);
      case 'hellos':
        await recordHellos(db, (input as { records: readonly HelloRecord[] }).records);
        return null;
      case 'acks':
        return storeAcks(db, (input as { records: readonly AckRecord[] }).records, this.#controller.core.onAcked);
      case 'liveness':
        return storeLiveness(db, (input as { records: readonly LivenessRecord[] }).records);
      case 'leads':
        return this.#lead((input as { epoch: number }).epoch);
      case 'look':
        return this.#look((input as { epoch: number }).epoch);
      case 'evaluate':
        return this.#evaluate(input as { epoch: number; size: number });
      case 'publish':
        return this.#publish((input as { epoch: number }).epoch);
      case 'raise-generations':
        return this.#raise(input as { epoch: number; reports: readonly AheadReport[] });
      case 'features':
        return this.#writeForAgent(input as { epoch: number; headend: NodeId });
    }
  }

  /** A step that failed when it was recorded: the leader begins anew where publication had come to. */
  skip({ kind, input }: EntryLine): void {
    if (kind !== 'look' && kind !== 'evaluate' && kind !== 'publish') return;
    this.#terms.get((input as { epoch: number }).epoch)?.steps.forget();
  }

  async #request(input: RequestInput): Promise<unknown> {
    const { statusCode, headers, payload } = await this.#controller.request(input);
    return recordedAnswer(input.operation, { status: statusCode, headers, payload });
  }

  async #call({ service, method, arguments: args }: CallInput): Promise<unknown> {
    const { topology, policies, serviceClasses } = this.#controller.core;
    const services: Record<string, object> = { topology, policies, serviceClasses };
    const found: unknown = Reflect.get(services[service] ?? {}, method);
    if (typeof found !== 'function') throw new ReplayFault(`there is no ${service}.${method} in this version`);
    return ((await Reflect.apply(found, undefined, args)) as unknown) ?? null;
  }

  async #lead(epoch: number): Promise<null> {
    await sql`update leader set epoch = ${epoch}, holder = 'replay'`.execute(this.#db);
    const { stepDependencies, reactionSettings } = this.#controller.core;
    this.#terms.set(epoch, { steps: new ReactionSteps(stepDependencies, reactionSettings, epoch) });
    return null;
  }

  #term(epoch: number): Term {
    const term = this.#terms.get(epoch);
    if (term === undefined) throw new ReplayFault(`nobody began to lead in epoch ${epoch}`);
    return term;
  }

  async #look(epoch: number): Promise<unknown> {
    const term = this.#term(epoch);
    term.sight = await term.steps.look();
    return lookEntry(epoch).outputOf(term.sight);
  }

  async #evaluate({ epoch, size }: { epoch: number; size: number }): Promise<unknown> {
    const { steps, sight, ...term } = this.#term(epoch);
    if (sight === undefined) throw new ReplayFault('the leader has not looked yet');
    const evaluated = await steps.evaluate(sight, size);
    this.#terms.set(epoch, { ...term, steps, sight, evaluated });
    return evaluateEntry(epoch, size).outputOf(evaluated);
  }

  async #publish(epoch: number): Promise<unknown> {
    const { steps, evaluated } = this.#term(epoch);
    if (evaluated === undefined) throw new ReplayFault('the leader has not evaluated anything yet');
    return publishEntry<PendingDelta>(epoch).outputOf(await steps.publish(evaluated, () => undefined));
  }

  #raise({ epoch, reports }: { epoch: number; reports: readonly AheadReport[] }): Promise<unknown> {
    return fencedTransaction(this.#db, epoch, (tx) => raiseGenerations(tx, epoch, reports));
  }

  #writeForAgent({ epoch, headend }: { epoch: number; headend: NodeId }): Promise<unknown> {
    return fencedTransaction(this.#db, epoch, (tx) => writeForAgent(tx, epoch, headend));
  }
}
