import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { isPolicyId, stateHashOf } from '@waymark/agent-protocol';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const RELEASED = fileURLToPath(new URL('../../../../packages/agent-protocol/proto/released', import.meta.url));

interface Entry {
  readonly policyId: string;
  readonly generation: number;
  readonly body: Uint8Array;
}

interface Position {
  readonly epoch: number;
  readonly generation: number;
  readonly stateHash: Uint8Array;
}

/** What travels, as the descriptors of that time read it. */
interface Wire {
  readonly welcome?: { readonly instance: string; readonly digest: Position } & Readonly<Record<string, unknown>>;
  readonly digest?: Position;
}

interface Stream<Message> {
  on(event: 'data', listener: (message: Message) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'end', listener: () => void): void;
  write(message: object): void;
  cancel(): void;
}

interface Client {
  Session(): Stream<Wire>;
  GetSnapshot(request: object): Stream<Position & { readonly policies: readonly Entry[]; readonly last: boolean }>;
  close(): void;
}

/**
 * An agent of version 1, built from the protocol as it was then: it reads and writes with those descriptors, knows nothing
 * of versions, and refuses what it does not understand entry by entry, keeping what it had. Its data plane takes everything
 * at once. It hears no bus.
 */
export class OlderAgent {
  readonly #node: string;
  readonly #client: Client;
  readonly #session: Stream<Wire>;
  readonly #policyType: protobuf.Type;
  readonly #installed = new Map<string, Entry>();
  #wanted: ReadonlyMap<string, Entry> = new Map();
  #position: Position = { epoch: 0, generation: 0, stateHash: new Uint8Array(32) };
  #sequence = 0;
  #fetching = false;
  /** Everything that was ever taken out of the data plane. */
  readonly removed: string[] = [];
  /** The entries of the present state that it does not understand. */
  refused: readonly string[] = [];
  welcome: Wire['welcome'];

  constructor(node: string, controller: string) {
    const file = `${RELEASED}/version-1.proto`;
    this.#node = node;
    const definition = loadSync(file, { longs: Number, enums: String, defaults: true });
    const { AgentService } = (
      loadPackageDefinition(definition) as unknown as {
        readonly waymark: { readonly agent: { readonly v1: { readonly AgentService: ServiceClientConstructor } } };
      }
    ).waymark.agent.v1;
    this.#policyType = protobuf.loadSync(file).lookupType('waymark.agent.v1.DesiredPolicy');
    this.#client = new AgentService(controller, credentials.createInsecure()) as unknown as Client;
    this.#session = this.#client.Session();
    this.#session.on('error', () => undefined);
    this.#session.on('end', () => undefined);
    this.#session.on('data', ({ welcome, digest }) => {
      if (welcome !== undefined) this.welcome = welcome;
      const position = welcome?.digest ?? digest;
      if (position !== undefined) this.#heed(position);
    });
    this.#session.write({ hello: { nodeId: node, agentVersion: '0.0.9', dataplane: 'dry-run', encapMode: 'full' } });
  }

  /** Ids of what the data plane holds. */
  get installed(): readonly string[] {
    return [...this.#installed.keys()].sort();
  }

  bodyOf(policyId: string): Uint8Array | undefined {
    return this.#installed.get(policyId)?.body;
  }

  stop(): void {
    this.#session.cancel();
    this.#client.close();
  }

  #heed({ generation, stateHash }: Position): void {
    const same = Buffer.compare(stateHash, this.#position.stateHash) === 0 && generation === this.#position.generation;
    if (same) setTimeout(() => this.#beat(), 50);
    else this.#fetch();
  }

  #beat(): void {
    this.#session.write({ heartbeat: { ...this.#position, bus: 'none', dataplaneError: '', driftRepairs: 0 } });
  }

  #fetch(): void {
    if (this.#fetching) return;
    this.#fetching = true;
    const entries: Entry[] = [];
    const stream = this.#client.GetSnapshot({ nodeId: this.#node, ...this.#position, epoch: 0 });
    stream.on('error', () => {
      this.#fetching = false;
      setTimeout(() => this.#beat(), 50);
    });
    stream.on('data', ({ epoch, generation, stateHash, policies, last }) => {
      entries.push(...policies);
      if (!last) return;
      this.#fetching = false;
      this.#position = { epoch, generation, stateHash };
      this.#wanted = new Map(entries.map((entry) => [entry.policyId, entry]));
      this.#reconcile();
    });
  }

  #reconcile(): void {
    const outcomes: object[] = [];
    const refused: string[] = [];
    for (const [policyId, entry] of this.#wanted) {
      const { generation } = entry;
      if (this.#understands(entry)) {
        this.#installed.set(policyId, entry);
        outcomes.push({ policyId, generation, outcome: 'OUTCOME_SIMULATED' });
      } else {
        refused.push(policyId);
        outcomes.push({
          policyId,
          generation,
          outcome: 'OUTCOME_FAILED',
          reason: 'a policy is not in its canonical encoding',
        });
      }
    }
    for (const policyId of this.#installed.keys()) {
      if (this.#wanted.has(policyId)) continue;
      this.#installed.delete(policyId);
      this.removed.push(policyId);
    }
    this.refused = refused;
    const { epoch, generation } = this.#position;
    const readBackHash = stateHashOf([...this.#installed.values()]);
    this.#session.write({ ack: { epoch, generation, outcomes, readBackHash, sequence: ++this.#sequence } });
    this.#beat();
  }

  /** As agents always did: what they would not have encoded so themselves holds something that they do not know. */
  #understands({ policyId, body }: Entry): boolean {
    if (!isPolicyId(policyId, this.#node)) return false;
    try {
      const message = this.#policyType.decode(body);
      const policy = this.#policyType.toObject(message) as { readonly policyId: string; readonly endpoint: Uint8Array };
      if (policy.policyId !== policyId || policy.endpoint.length !== 16) return false;
      return Buffer.compare(this.#policyType.encode(message).finish(), body) === 0;
    } catch {
      return false;
    }
  }
}
