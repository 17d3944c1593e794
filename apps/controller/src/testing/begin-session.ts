import { randomUUID } from 'node:crypto';
import { FEATURES } from '@waymark/agent-protocol';
import type { Database } from '../storage/database.js';
import { recordHellos } from '../distribution/agent-records.js';

/** An agent of VPP, as new as this controller and with nothing accepted, says hello. Returns its session. */
export async function beginSession(db: Database, node = 'h1'): Promise<string> {
  const session = randomUUID();
  const position = {
    ...{ agentVersion: '1', dataplane: 'vpp', epoch: 0, generation: 0 },
    ...{ protocolVersion: 2, features: FEATURES },
  };
  await recordHellos(db, [{ node, session, controller: 'c', hello: position }]);
  return session;
}
