import { forward } from './machine/forwarding.js';
import type { Forwarding } from './machine/forwarding.js';
import type { InterfaceSpec } from './machine/interfaces.js';
import { Machine } from './machine/machine.js';
import type { TableSpec } from './machine/machine.js';
import { MessageTable } from './message-table.js';
import type { MessageTableOptions } from './message-table.js';
import { HANDLERS } from './messages/all.js';
import type { Identity } from './messages/handler.js';
import type { LoggedRequest } from './request-log.js';

/** One life of VPP: what is gone after a crash or restart. */
export interface Life {
  /** From 1. */
  readonly number: number;
  readonly ids: MessageTable;
  readonly machine: Machine;
  readonly identity: Identity;
}

/** What VPP finds when it starts, each time. */
export interface StartUp extends MessageTableOptions {
  readonly tables: readonly TableSpec[];
  readonly interfaces: readonly InterfaceSpec[];
  readonly seed: number;
  readonly identity: Omit<Identity, 'pid'>;
}

/** Message ids and the process id differ from one life to the next. */
export function beginLife(number: number, startUp: StartUp): Life {
  return {
    number,
    ids: new MessageTable(startUp.seed * 1000 + number, startUp),
    machine: new Machine(startUp.tables, startUp.interfaces),
    identity: { ...startUp.identity, pid: 1000 + number },
  };
}

/** A moment at which the fate of a packet changed. */
export interface HistoryStep {
  /** The request that changed it; undefined for the state at the start of the life. */
  readonly after: LoggedRequest | undefined;
  readonly forwarding: Forwarding;
}

/**
 * Every fate that a packet had in one life, in order, found by running its requests again. Requests change the tables
 * one at a time (VPP's workers wait meanwhile), so that no state between two steps was ever seen by a packet.
 */
export function historyOf(
  life: Life,
  startUp: StartUp,
  log: readonly LoggedRequest[],
  table: number,
  destination: string,
): readonly HistoryStep[] {
  const machine = new Machine(startUp.tables, startUp.interfaces);
  const steps: HistoryStep[] = [{ after: undefined, forwarding: forward(machine, table, destination) }];
  let last = JSON.stringify(steps[0]?.forwarding);
  for (const request of log) {
    const handler = HANDLERS[request.name];
    const changesSomething = request.executed && request.outcome !== 'crashed' && handler?.asksForClientFirst !== true;
    if (handler === undefined || request.life !== life.number || !changesSomething) continue;
    handler.run(machine, request.message, life.identity);
    const forwarding = forward(machine, table, destination);
    const text = JSON.stringify(forwarding);
    if (text !== last) steps.push({ after: request, forwarding });
    last = text;
  }
  return steps;
}
