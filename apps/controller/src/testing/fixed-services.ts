import { noRefusals } from '../model/agents.js';
import { EventHub } from '../event-hub.js';
import type {
  ApiKeyService,
  AuditService,
  ControllerService,
  EventBus,
  FailureSweepService,
  PathBatchService,
  PathComputationService,
  PolicyService,
  Services,
  TopologyService,
} from '../model/ports.js';
import type { AgentService } from '../model/agents.js';
import type { AccessService } from '../model/access.js';
import { Problem } from '../model/errors.js';
import type { ServiceClassService } from '../model/service-class.js';

/** The parts of the services that a test of the HTTP layer states itself. */
export interface StatedServices {
  readonly topology?: Partial<TopologyService>;
  readonly paths?: Partial<PathComputationService>;
  readonly pathBatches?: Partial<PathBatchService>;
  readonly policies?: Partial<PolicyService>;
  readonly serviceClasses?: Partial<ServiceClassService>;
  readonly agents?: Partial<AgentService>;
  readonly sweeps?: Partial<FailureSweepService>;
  /** Everybody is an anonymous admin without it. */
  readonly access?: AccessService;
  readonly apiKeys?: Partial<ApiKeyService>;
  readonly audit?: Partial<AuditService>;
  readonly controllers?: Partial<ControllerService>;
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
    pathBatches: orThrow<PathBatchService>('pathBatches', stated.pathBatches),
    policies: orThrow<PolicyService>('policies', stated.policies),
    serviceClasses: orThrow<ServiceClassService>('serviceClasses', stated.serviceClasses),
    agents: orThrow<AgentService>('agents', stated.agents),
    sweeps: orThrow<FailureSweepService>('sweeps', stated.sweeps),
    clusters: () => [],
    sessions: {
      counts: () => ({
        sessions: 0,
        welcomed: 0,
        refused: noRefusals,
        snapshots: { underWay: 0, waiting: 0, sent: 0, unchanged: 0, policies: 0, refused: 0 },
      }),
    },
    jobs: { counts: () => ({ held: [], bytes: 0, finished: [], computed: [] }) },
    events: stated.events ?? new EventHub(),
    access: stated.access ?? openAccess,
    apiKeys: orThrow<ApiKeyService>('apiKeys', stated.apiKeys),
    audit: orThrow<AuditService>('audit', stated.audit),
    controllers: orThrow<ControllerService>('controllers', { leads: false, ...stated.controllers }),
    health: stated.health ?? (() => Promise.resolve({ live: true, ready: true, checks: {} })),
  };
}

export const openAccess: AccessService = {
  isOpen: true,
  identify: () => Promise.resolve({ name: 'anonymous', role: 'admin', operations: null, credential: 'anonymous' }),
};

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

export function notFound(what: string): Problem {
  return new Problem('not-found', { detail: `there is no ${what}` });
}
