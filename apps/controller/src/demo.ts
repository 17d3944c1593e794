import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Bus } from '@waymark/agent-protocol';
import { DryRunDataPlane, NodeAgent } from '@waymark/node-agent';
import type { NodeId } from '@waymark/topology';
import type { Logger } from 'pino';
import type { TopologyService } from './model/ports.js';

/** Loads a native topology file when the TED is empty; what an operator has put there stays alone. */
export async function loadDemoTopology(topology: TopologyService, file: string, log: Logger): Promise<void> {
  const head = await topology.head();
  if (head.tedRevision > 0) return;
  const result = await topology.importTopology({
    text: await readFile(file, 'utf8'),
    format: 'native',
    source: 'demo',
    actor: { name: 'demo' },
  });
  log.info({ nodes: result.nodes.added, links: result.links.added }, `loaded ${basename(file)} into the empty TED`);
}

export interface DemoAgentsOptions {
  readonly topology: Pick<TopologyService, 'ted' | 'onRevision'>;
  readonly bus: Bus;
  /** gRPC address of the controller. */
  readonly controller: string;
  /** Each agent keeps its accepted state in a folder below. */
  readonly stateDirectory: string;
  readonly log: Logger;
}

/** A dry-run agent in this process for each host of the TED, so that the whole chain runs with nothing to set up. */
export class DemoAgents {
  readonly #options: DemoAgentsOptions;
  readonly #agents = new Map<NodeId, NodeAgent>();
  #unsubscribe: () => void = () => undefined;
  #work: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: DemoAgentsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#options.topology.onRevision(() => this.#follow());
    this.#follow();
    await this.#work;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    await this.#work;
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
  }

  /** One after the other; a failure is told and the next revision tries again. */
  #follow(): void {
    this.#work = this.#work
      .then(() => this.#startMissing())
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'demo agents could not be started'));
  }

  async #startMissing(): Promise<void> {
    if (this.#stopped) return;
    const { nodes } = await this.#options.topology.ted();
    for (const { id, kind } of nodes) {
      if (kind !== 'host' || this.#agents.has(id)) continue;
      const agent = this.#agentOf(id);
      this.#agents.set(id, agent);
      await agent.start();
    }
  }

  #agentOf(node: NodeId): NodeAgent {
    const { bus, controller, stateDirectory, log } = this.#options;
    const agentLog = log.child({ node });
    return new NodeAgent({
      nodeId: node,
      controllers: [controller],
      bus,
      dataPlane: new DryRunDataPlane({ log: agentLog, encapMode: 'reduced', msdHEncaps: 0 }),
      localSids: [],
      stateDirectory: join(stateDirectory, node),
      rereadIntervalMs: 30_000,
      log: agentLog,
    });
  }
}
