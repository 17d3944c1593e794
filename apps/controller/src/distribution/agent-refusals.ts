import type { NodeId } from '@waymark/topology';
import type { Logger } from 'pino';
import { LogQuota } from '../log-quota.js';
import { noRefusals, type AgentRefusal } from '../model/agents.js';
import type { Stranger } from './agent-access.js';

/** Counts what agents are refused, and logs it as often as a log can take. */
export class AgentRefusals {
  readonly #log: Logger;
  readonly #counts: Record<AgentRefusal, number> = { ...noRefusals };
  readonly #handshakes = new LogQuota(() => performance.now());
  readonly #strangers = new LogQuota(() => performance.now());
  readonly #trespasses = new LogQuota(() => performance.now());

  constructor(log: Logger) {
    this.#log = log;
  }

  counts(): Readonly<Record<AgentRefusal, number>> {
    return { ...this.#counts };
  }

  connection(): void {
    this.#counts.connection += 1;
  }

  handshake(why: string): void {
    this.#counts.handshake += 1;
    const line = this.#handshakes.take();
    if (line === undefined) return;
    this.#log.warn({ why, ...line }, 'a connection to the agent service was refused: its TLS is not in order');
  }

  stranger({ reason, why, node, certificate }: Stranger): void {
    this.#counts[reason] += 1;
    const line = this.#strangers.take();
    if (line === undefined) return;
    this.#log.warn({ why, node, ...certificate, ...line }, 'a caller of the agent service was refused');
  }

  trespass(caller: NodeId | undefined, why: string): void {
    this.#counts.trespass += 1;
    const line = this.#trespasses.take();
    if (line === undefined) return;
    this.#log.warn({ caller, why, ...line }, 'an agent was refused: it does not speak for itself');
  }
}
