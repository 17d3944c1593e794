import {
  encodeDesiredPolicy,
  Family,
  FEATURES,
  NEWEST_VERSION,
  OLDEST_VERSION,
  TunnelAction,
  type Bus,
  type Hello,
  type Prefix,
} from '@waymark/agent-protocol';
import { pino, type Logger } from 'pino';
import { openAccess } from '../distribution/agent-access.js';
import type { AgentDeparture } from '../distribution/agent-service.js';
import { writeDesired, type HeadendChange, type PendingDelta } from '../distribution/desired-store.js';
import { Leadership } from '../distribution/leadership.js';
import { Distribution, type DistributionOptions } from '../distribution/distribution.js';
import type { WaymarkEvent } from '../model/events.js';
import { unrecorded } from '../model/journal.js';
import type { EventBus } from '../model/ports.js';
import type { Database } from '../storage/database.js';
import { eventually } from './eventually.js';
import type { TestDatabase } from './test-database.js';

/** Keeps every event, and every word that some are missing. */
export class RecordedEvents implements EventBus {
  readonly all: WaymarkEvent[] = [];
  readonly gaps: string[] = [];

  emit(event: WaymarkEvent): void {
    this.all.push(event);
  }

  gap(reason: string): void {
    this.gaps.push(reason);
  }

  subscribe(): () => void {
    return () => undefined;
  }
}

/** What an agent of h1 says first that knows nothing yet. */
export const hello: Hello = {
  nodeId: 'h1',
  agentVersion: '1',
  dataplane: 'dry-run',
  msdHEncaps: 0,
  encapMode: 'full',
  ownedSids: [],
  instance: '',
  epoch: 0,
  generation: 0,
  oldestVersion: OLDEST_VERSION,
  newestVersion: NEWEST_VERSION,
  features: [...FEATURES],
};

/** Bytes of a small, valid policy; `variant` (0 to 255) makes another of the same id. */
export function policyBody(policyId: string, variant = 0, classPrefixes: readonly Prefix[] = []): Uint8Array {
  const [, color = '1'] = policyId.split(':');
  const sid = (last: number): Uint8Array => Uint8Array.of(0xfc, ...new Array<number>(13).fill(0), last, variant);
  return encodeDesiredPolicy({
    policyId,
    color: Number(color),
    endpoint: sid(1),
    usesPlannedSids: false,
    tunnels: [
      {
        family: Family.IPV6,
        action: TunnelAction.ENCAPSULATE,
        bsid: sid(2),
        alternateBsid: sid(3),
        segmentLists: [{ weight: 1, sids: [sid(4), sid(5)], way: 0 }],
        standbyLists: [],
        steeredPrefixes: [{ family: Family.IPV6, address: new Uint8Array(16), length: 0 }],
        classPrefixes,
      },
    ],
  });
}

/** Agents say nothing of their nodes, and nothing waits for them. */
export function withoutTed(db: Database): AgentDeparture {
  return {
    journal: unrecorded,
    withdraw: (_node, _actor, remove) =>
      db.transaction().execute(async (tx) => {
        await remove(tx);
      }),
    onGone: () => Promise.resolve(),
  };
}

/** A controller's distribution on an ephemeral port, and what its leader does. */
export interface TestController {
  readonly distribution: Distribution;
  readonly address: string;
  readonly events: RecordedEvents;
  /** As the leader: writes and, unless told otherwise, publishes. Waits until this controller leads. */
  write(changes: readonly HeadendChange[], publish?: boolean): Promise<PendingDelta[]>;
  stop(): Promise<void>;
}

export async function startTestController(
  database: Pick<TestDatabase, 'url' | 'db'>,
  bus: Bus,
  overrides: Partial<
    Pick<DistributionOptions, 'access' | 'onAcked' | 'onHellos' | 'controller' | 'heartbeatIntervalMs'>
  > & {
    log?: Logger;
    /** `host:port` of the gRPC server; a free port when left out. */
    address?: string;
  } = {},
): Promise<TestController> {
  const events = new RecordedEvents();
  const { url, db } = database;
  const log = overrides.log ?? pino({ level: 'silent' });
  const holder = overrides.controller ?? 'controller-a';
  const distribution = await Distribution.create({
    databaseUrl: url,
    db,
    leadership: new Leadership({ url, db, log, holder }),
    bus,
    events,
    log,
    controller: holder,
    access: openAccess(),
    heartbeatIntervalMs: 100,
    journal: unrecorded,
    onAcked: () => Promise.resolve(),
    onHellos: () => Promise.resolve(),
    departure: withoutTed(db),
    ...overrides,
  });
  const port = await distribution.start(overrides.address ?? '127.0.0.1:0');
  return {
    distribution,
    address: `127.0.0.1:${String(port)}`,
    events,
    write: async (changes, publish = true) => {
      await eventually(() => distribution.leadership.epoch !== undefined);
      const epoch = distribution.leadership.epoch ?? 0;
      const deltas = await distribution.leadership.fenced(epoch, (tx) => writeDesired(tx, epoch, changes));
      if (publish) await distribution.publisher.publish(deltas);
      return deltas;
    },
    stop: () => distribution.stop(),
  };
}
