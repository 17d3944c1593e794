import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FEATURES, NEWEST_VERSION, OLDEST_VERSION } from '@waymark/agent-protocol';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DryRunDataPlane } from '../dataplane/dry-run.js';
import { NodeAgent } from '../node-agent.js';
import { desiredState } from '../testing/policies.js';
import { StubController } from '../testing/stub-controller.js';

const POLICY = { id: 'h1:10:h2', ipv4: { lists: [[1, 'fc00:1::1']], prefixes: ['10.2.0.0/24'] } } as const;
const patience = { timeout: 30_000 };

let controller: StubController;
let address: string;
let agent: NodeAgent;
let lines: string[];
let stateDirectory: string;

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), 'waymark-agent-'));
  lines = [];
  controller = new StubController(desiredState(1, [POLICY]));
  address = await controller.listen();
});

afterEach(async () => {
  await agent.stop();
  controller.close();
  await rm(stateDirectory, { recursive: true });
});

async function start(controllers: readonly string[]): Promise<void> {
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const dataPlane = new DryRunDataPlane({ log, encapMode: 'reduced', msdHEncaps: 5 });
  const common = { nodeId: 'h1', bus: null, localSids: [], rereadIntervalMs: 3_600_000 };
  agent = new NodeAgent({ ...common, controllers, dataPlane, stateDirectory, log });
  await agent.start();
}

const simulated = () => agent.status().reconciler.policies.simulated;

it('An agent says what versions it speaks, and follows a controller that knows of no versions', async () => {
  controller.version = 0;
  await start([address]);
  await vi.waitFor(() => expect(simulated()).toBe(1), patience);
  expect(controller.hello).toMatchObject({
    oldestVersion: OLDEST_VERSION,
    newestVersion: NEWEST_VERSION,
    features: [...FEATURES],
  });
});

it('An agent leaves a controller of a version that it does not speak, says why, and keeps what it has', async () => {
  await start([address]);
  await vi.waitFor(() => expect(simulated()).toBe(1), patience);
  // It comes back in another version, and wants nothing of this node any more.
  controller.close();
  controller = new StubController(desiredState(2, []));
  controller.version = NEWEST_VERSION + 1;
  await controller.listen(address);
  await vi.waitFor(
    () => expect(lines.join('')).toContain(`the controller speaks version ${NEWEST_VERSION + 1} of the protocol`),
    patience,
  );
  expect(agent.status().session.generation).toBe(1);
  expect(simulated()).toBe(1);
  controller.version = NEWEST_VERSION;
  await vi.waitFor(() => expect(agent.status().session.generation).toBe(2), patience);
});
