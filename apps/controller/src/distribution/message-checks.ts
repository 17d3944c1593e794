import { isNodeId, isPolicyId, STATE_HASH_BYTES, type Ack, type Heartbeat, type Hello } from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';

/*
 * What one agent says is stored in one transaction with what others say. So whatever Postgres would refuse has to be
 * found before, or one broken agent would end the sessions of all.
 */

/** Above every epoch and generation that can come about, and far below where numbers lose exactness. */
const MAX_POSITION = 2 ** 48;
/** As the REST API declares them. */
const MAX_NAME = 100;
const MAX_TEXT = 4_000;

const SID_BEHAVIORS: ReadonlySet<string> = new Set(['End', 'End.X', 'End.DT4', 'End.DT6', 'End.DT46']);
const BUSES: ReadonlySet<string> = new Set(['redis', 'memory', 'none']);
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]+/g;

/** What is wrong with a hello, or undefined. */
export function mistakeInHello(hello: Hello): string | undefined {
  if (!isNodeId(hello.nodeId)) return 'the node id is malformed';
  if (!arePositions(hello)) return 'the epoch or generation is out of range';
  if (!isName(hello.agentVersion)) return 'the version of the agent is malformed';
  if (!isName(hello.dataplane)) return 'the name of the data plane is malformed';
  if (hello.ownedSids.some(({ sid, behavior }) => sid.length !== 16 || !SID_BEHAVIORS.has(behavior))) {
    return 'an owned SID is malformed';
  }
  return undefined;
}

export function mistakeInHeartbeat(heartbeat: Heartbeat): string | undefined {
  if (!arePositions(heartbeat)) return 'the epoch or generation is out of range';
  if (!BUSES.has(heartbeat.bus)) return 'the bus is unknown';
  return undefined;
}

export function mistakeInAck(ack: Ack, node: NodeId): string | undefined {
  if (!arePositions(ack)) return 'the epoch or generation is out of range';
  if (ack.readBackHash.length !== STATE_HASH_BYTES) {
    return 'the hash of what was read back is not 32 bytes long';
  }
  const foreign = ack.outcomes.find(({ policyId }) => !isPolicyId(policyId, node));
  return foreign === undefined ? undefined : `an outcome is not of a policy of ${node}`;
}

/** What a data plane printed, as one line that can be stored and shown. */
export function printable(text: string): string {
  return text.replace(CONTROL_CHARACTERS, ' ').slice(0, MAX_TEXT);
}

function arePositions({ epoch, generation }: { readonly epoch: number; readonly generation: number }): boolean {
  return [epoch, generation].every((value) => value >= 0 && value <= MAX_POSITION);
}

function isName(text: string): boolean {
  return text !== '' && text.length <= MAX_NAME && printable(text) === text;
}
