import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus } from '@waymark/agent-protocol';
import { DryRunDataPlane, NodeAgent } from '@waymark/node-agent';
import { pino } from 'pino';

/** A whole node agent on a data plane that forwards nothing. */
export interface DryRunAgent {
  readonly agent: NodeAgent;
  /** All that the data plane holds, as text. */
  readonly holds: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

export async function startDryRunAgent(nodeId: string, controller: string, bus: Bus | null): Promise<DryRunAgent> {
  const log = pino({ level: 'silent' });
  const stateDirectory = await mkdtemp(join(tmpdir(), 'waymark-fuzz-agent-'));
  const dataPlane = new DryRunDataPlane({ log, encapMode: 'reduced', msdHEncaps: 0 });
  const agent = new NodeAgent({
    ...{ nodeId, controllers: [controller], bus, dataPlane, localSids: [], stateDirectory, log },
    rereadIntervalMs: 30_000,
  });
  await agent.start();
  return {
    agent,
    holds: async () => {
      const { tunnels, ...rest } = await dataPlane.read();
      const byText = tunnels.map((tunnel) => JSON.stringify(tunnel)).toSorted();
      return JSON.stringify({ byText, ...rest });
    },
    stop: async () => {
      await agent.stop();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}
