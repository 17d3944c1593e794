import {
  Family,
  isNodeId,
  isPolicyId,
  Liveness,
  STATE_HASH_BYTES,
  versionsOf,
  type Ack,
  type DataPlaneReport,
  type Heartbeat,
  type Hello,
  type ListLiveness,
  type LivenessReport,
  type OwnedSid,
} from '@waymark/agent-protocol';
import { canBeSid, ipv6FromBytes } from '@waymark/topology';

/*
 * What one agent says is stored in one transaction with what others say. So whatever Postgres would refuse has to be
 * found before, or one broken agent would end the sessions of all.
 */

/** Above every epoch and generation that can come about, and far below where numbers lose exactness. */
const MAX_POSITION = 2 ** 48;
/** As the REST API declares them. */
const MAX_NAME = 100;
const MAX_TEXT = 4_000;
const MAX_INTERFACES = 4_096;
const MAX_LOCAL_SIDS = 4_096;
const MAX_NOTICES = 256;
const MAX_OWNED_SIDS = 4_096;
const MAX_LABEL = 255;
const MAX_FEATURES = 256;

/** Of one message; a complete report may go on in the next. */
const MAX_PROBED_LISTS = 20_000;
/** RFC 8754 */
const MAX_SIDS = 127;
/** The end of the year 9999. */
const MAX_TIME_MS = 253_402_300_799_999;

const SID_BEHAVIORS: ReadonlySet<string> = new Set(['End', 'End.X', 'End.DT4', 'End.DT6', 'End.DT46']);
const BUSES: ReadonlySet<string> = new Set(['redis', 'memory', 'none']);
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]+/g;
const HALF_A_PAIR = /[\ud800-\udbff]$/;

/** What is wrong with a hello, or undefined. */
export function mistakeInHello(hello: Hello): string | undefined {
  if (!isNodeId(hello.nodeId)) return 'the node id is malformed';
  if (!arePositions(hello)) return 'the epoch or generation is out of range';
  if (!isName(hello.agentVersion)) return 'the version of the agent is malformed';
  if (!isName(hello.dataplane)) return 'the name of the data plane is malformed';
  const { oldest, newest } = versionsOf(hello);
  if (oldest > newest) return 'the oldest version that the agent speaks is above the newest';
  if (hello.features.length > MAX_FEATURES || !hello.features.every((feature) => isName(feature))) {
    return 'the features of the agent are malformed';
  }
  if (hello.ownedSids.length > MAX_OWNED_SIDS) return `an agent owns more than ${MAX_OWNED_SIDS} SIDs`;
  if (!hello.ownedSids.every(isOwnedSid)) {
    return 'an owned SID is malformed';
  }
  return undefined;
}

export function mistakeInHeartbeat(heartbeat: Heartbeat): string | undefined {
  if (!arePositions(heartbeat)) return 'the epoch or generation is out of range';
  if (!BUSES.has(heartbeat.bus)) return 'the bus is unknown';
  return undefined;
}

export function mistakeInAck(ack: Ack): string | undefined {
  if (!arePositions(ack)) return 'the epoch or generation is out of range';
  if (ack.readBackHash.length !== STATE_HASH_BYTES) {
    return 'the hash of what was read back is not 32 bytes long';
  }
  return ack.outcomes.every(({ policyId }) => isPolicyId(policyId))
    ? undefined
    : 'the policy of an outcome is malformed';
}

export function mistakeInLiveness({ lists }: LivenessReport): string | undefined {
  if (lists.length > MAX_PROBED_LISTS) return `a report tells of more than ${MAX_PROBED_LISTS} lists`;
  const known = new Set<string>();
  for (const list of lists) {
    const mistake = mistakeInList(list);
    if (mistake !== undefined) return mistake;
    known.add(`${list.policyId} ${list.family} ${list.standby} ${Buffer.concat(list.sids).toString('hex')}`);
  }
  return known.size === lists.length ? undefined : 'a report tells of a list twice';
}

function mistakeInList(list: ListLiveness): string | undefined {
  if (!isPolicyId(list.policyId)) return 'the policy of a probed list is malformed';
  if (list.family !== Family.IPV4 && list.family !== Family.IPV6) return 'a probed list has no known family';
  if (list.sids.length === 0 || list.sids.length > MAX_SIDS) return `a probed list has ${list.sids.length} SIDs`;
  if (list.sids.some((sid) => sid.length !== 16)) return 'a SID of a probed list is malformed';
  if (![Liveness.UNKNOWN, Liveness.UP, Liveness.DOWN].includes(list.state)) return 'a probed list has no known state';
  if (!isTime(list.sinceMs)) return 'the time of a change of liveness is out of range';
  if (list.probesLost > list.probesSent) return 'more probes were lost than sent';
  const { roundTripMinUs: min, roundTripAvgUs: average, roundTripMaxUs: max } = list;
  return min <= average && average <= max ? undefined : 'the round trips of a probed list are out of order';
}

export function mistakeInDataPlane(report: DataPlaneReport): string | undefined {
  const { interfaces, localSids, notices } = report;
  if (!isTime(report.atMs)) return 'the time of a reading is out of range';
  if (interfaces.length > MAX_INTERFACES) return `a data plane has more than ${MAX_INTERFACES} interfaces`;
  if (localSids.length > MAX_LOCAL_SIDS) return `a data plane has more than ${MAX_LOCAL_SIDS} local SIDs`;
  if (notices.length > MAX_NOTICES) return `a data plane has more than ${MAX_NOTICES} notices`;
  if (!interfaces.every(({ name }) => isName(name, MAX_LABEL))) return 'the name of an interface is malformed';
  if (localSids.some(({ sid, behavior }) => sid.length !== 16 || !isName(behavior))) return 'a local SID is malformed';
  return undefined;
}

/** What a data plane printed, as one line that can be stored and shown. */
export function printable(text: string, length = MAX_TEXT): string {
  // Cutting may leave half a surrogate pair, which Postgres refuses within JSON.
  return text.replace(CONTROL_CHARACTERS, ' ').slice(0, length).replace(HALF_A_PAIR, '');
}

/** As the REST API shows it. */
export function printableReport(report: DataPlaneReport): DataPlaneReport {
  return {
    ...report,
    version: printable(report.version, MAX_LABEL),
    notices: report.notices.map((notice) => printable(notice)),
  };
}

function isOwnedSid({ sid, behavior }: OwnedSid): boolean {
  return sid.length === 16 && SID_BEHAVIORS.has(behavior) && canBeSid(ipv6FromBytes(sid));
}

function isTime(ms: number): boolean {
  return ms >= 0 && ms <= MAX_TIME_MS;
}

function arePositions({ epoch, generation }: { readonly epoch: number; readonly generation: number }): boolean {
  return [epoch, generation].every((value) => value >= 0 && value <= MAX_POSITION);
}

function isName(text: string, length = MAX_NAME): boolean {
  return text !== '' && text.length <= length && printable(text) === text;
}
