import type {
  AgentService,
  EventBus,
  PathComputationService,
  PolicyService,
  Services,
  TopologyService,
} from '../model/ports.js';
import type { WaymarkEvent } from '../model/events.js';
import { Problem } from '../model/errors.js';

/** The parts of the services that a test of the HTTP layer states itself. */
export interface StatedServices {
  readonly topology?: Partial<TopologyService>;
  readonly paths?: Partial<PathComputationService>;
  readonly policies?: Partial<PolicyService>;
  readonly agents?: Partial<AgentService>;
  readonly health?: Services['health'];
  readonly events?: EventBus;
}

/**
 * Services for tests of HTTP behaviour alone (media types, ETags, cursors, problem documents): each method is what the
 * test states, every other one throws.
 */
export function fixedServices(stated: StatedServices = {}): Services {
  return {
    topology: orThrow<TopologyService>('topology', stated.topology),
    paths: orThrow<PathComputationService>('paths', stated.paths),
    policies: orThrow<PolicyService>('policies', stated.policies),
    agents: orThrow<AgentService>('agents', stated.agents),
    events: stated.events ?? new TestEventBus(),
    health: stated.health ?? (() => Promise.resolve({ live: true, ready: true, checks: {} })),
  };
}

function orThrow<Service extends object>(name: string, stated: Partial<Service> = {}): Service {
  return new Proxy(stated, {
    get(target, key) {
      if (key in target) return Reflect.get(target, key) as unknown;
      return () => {
        throw new Error(`the test does not state ${name}.${String(key)}`);
      };
    },
  }) as Service;
}

export class TestEventBus implements EventBus {
  readonly #listeners = new Set<(event: WaymarkEvent) => void>();

  emit(event: WaymarkEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: (event: WaymarkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function notFound(what: string): Problem {
  return new Problem('not-found', { detail: `there is no ${what}` });
}
