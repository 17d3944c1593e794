import {
  AgentMessage,
  FEATURES,
  Family,
  Liveness,
  NEWEST_VERSION,
  OLDEST_VERSION,
  Outcome,
  SnapshotRequest,
  type Ack,
  type DataPlaneReport,
  type Hello,
  type LivenessReport,
} from '@waymark/agent-protocol';
import { parseAddress } from '../../../apps/node-agent/src/dataplane/address.js';
import type { FuzzCase } from '../campaign.js';
import { mutatedBytes, mutatedProtobuf } from '../mutate-protobuf.js';
import type { Random } from '../random.js';

export interface GrpcCase extends FuzzCase {
  readonly call: 'session' | 'snapshot' | 'bytes';
  readonly messages: readonly Buffer[];
  /** Only these ends will do. */
  readonly refusedWith?: readonly string[];
}

/** Nodes of the demo without an agent, so that no session of a real agent is ended. */
const silentNodes = ['DE', 'FR', 'AT', 'CZ'] as const;

const message = (one: NonNullable<AgentMessage['message']>): Buffer =>
  Buffer.from(AgentMessage.encode({ message: one }).finish());

function helloOf(nodeId: string, more: Partial<Hello> = {}): Hello {
  const ownedSids = [{ sid: parseAddress('fcbb:bb00:4444::1'), behavior: 'End' }];
  return {
    nodeId,
    agentVersion: '9.9',
    dataplane: 'linux',
    msdHEncaps: 5,
    encapMode: 'reduced',
    ownedSids,
    instance: '',
    epoch: 0,
    generation: 0,
    ...{ oldestVersion: OLDEST_VERSION, newestVersion: NEWEST_VERSION, features: [...FEATURES] },
    ...more,
  };
}

export const heartbeat = message({
  $case: 'heartbeat',
  value: { epoch: 0, generation: 0, stateHash: new Uint8Array(32), dataplaneError: '', bus: 'none', driftRepairs: 0 },
});

function ackOf(node: string): Ack {
  const outcomes = [
    { policyId: `${node}:1:dc-athens`, generation: 1, outcome: Outcome.INSTALLED, reason: 'as wanted' },
  ];
  return { epoch: 1, generation: 1, outcomes, readBackHash: new Uint8Array(32), more: false, sequence: 1 };
}

function livenessOf(node: string): LivenessReport {
  const figures = {
    probesSent: 10,
    probesLost: 1,
    roundTripMinUs: 1,
    roundTripAvgUs: 2,
    roundTripMaxUs: 3,
    sinceMs: 1_700_000_000_000,
  };
  const list = {
    policyId: `${node}:1:dc-athens`,
    family: Family.IPV4,
    sids: [parseAddress('fcbb:bb00:8:1::')],
    standby: false,
    inUse: true,
    state: Liveness.UP,
  };
  return { complete: true, lists: [{ ...list, ...figures }] };
}

const eth0 = {
  ...{ name: 'eth0', up: true, rxBytes: 1, rxPackets: 1, txBytes: 1, txPackets: 1 },
  ...{ drops: 0, rxBps: 1, txBps: 1 },
};

const dataPlane: DataPlaneReport = {
  ...{ version: '1.0', reachable: true, atMs: 1_700_000_000_000, notices: ['a foreign policy'] },
  interfaces: [eth0],
  localSids: [
    { sid: parseAddress('fcbb:bb00:8:1::'), behavior: 'End', goodPackets: 1, goodBytes: 1, badPackets: 0, badBytes: 0 },
  ],
};

export function grpcCase(random: Random): GrpcCase {
  const node = random.pick(silentNodes);
  const hello = message({ $case: 'hello', value: helloOf(node) });
  const valid = random.pick<() => Buffer>([
    () => message({ $case: 'ack', value: ackOf(node) }),
    () => message({ $case: 'liveness', value: livenessOf(node) }),
    () => message({ $case: 'dataPlane', value: dataPlane }),
    () => heartbeat,
    () => hello,
  ]);
  switch (random.weighted({ hello: 20, after: 40, planted: 20, noise: 6, snapshot: 10, bytes: 4 })) {
    case 'hello':
      return session('hello', [mutatedProtobuf(random, hello)]);
    case 'after':
      return session('after the hello', [hello, mutatedProtobuf(random, valid())]);
    case 'planted':
      return planted(random, node, hello);
    case 'noise':
      return session(
        'noise',
        random.chance(0.5) ? [random.bytes(random.below(500))] : [hello, mutatedBytes(random, valid())],
      );
    case 'snapshot': {
      const request = SnapshotRequest.encode({
        nodeId: random.pick([...silentNodes, 'dc-london']),
        epoch: 1,
        generation: 1,
        stateHash: new Uint8Array(32),
      });
      return { kind: 'snapshot', call: 'snapshot', ...sent([mutatedProtobuf(random, Buffer.from(request.finish()))]) };
    }
    case 'bytes':
      return { kind: 'bytes', call: 'bytes', ...sent([connectionBytes(random)]) };
  }
}

function session(kind: string, messages: readonly Buffer[], refusedWith?: readonly string[]): GrpcCase {
  return { kind, call: 'session', ...sent(messages), ...(refusedWith === undefined ? {} : { refusedWith }) };
}

function sent(messages: readonly Buffer[]) {
  return { messages, text: messages.map((bytes) => bytes.toString('base64')).join(' ') };
}

const INVALID = ['INVALID_ARGUMENT'] as const;
const FOREIGN = ['PERMISSION_DENIED'] as const;

/** Messages that are well formed and say what cannot be; each with how it must end. */
function planted(random: Random, node: string, hello: Buffer): GrpcCase {
  const ack = (change: Partial<Ack>): Buffer => message({ $case: 'ack', value: { ...ackOf(node), ...change } });
  const liveness = (change: Partial<LivenessReport['lists'][number]>): Buffer =>
    message({
      $case: 'liveness',
      value: { complete: true, lists: livenessOf(node).lists.map((list) => ({ ...list, ...change })) },
    });
  const report = (change: Partial<DataPlaneReport>): Buffer =>
    message({ $case: 'dataPlane', value: { ...dataPlane, ...change } });
  const greeting = (change: Partial<Hello>): Buffer => message({ $case: 'hello', value: helloOf(node, change) });
  const outcome = { policyId: 'dc-london:100:dc-athens', generation: 1, outcome: Outcome.INSTALLED, reason: '' };
  const sid = (text: string) => [{ sid: parseAddress(text), behavior: 'End' }];
  const plants: Readonly<Record<string, () => GrpcCase>> = {
    'ack of another node': () => session('ack of another node', [hello, ack({ outcomes: [outcome] })], FOREIGN),
    'ack with a short hash': () =>
      session('ack with a short hash', [hello, ack({ readBackHash: new Uint8Array(31) })], INVALID),
    'ack of the far future': () => session('ack of the far future', [hello, ack({ generation: 2 ** 48 + 1 })], INVALID),
    'ack of a generation never sent': () =>
      session('ack of a generation never sent', [hello, ack({ generation: 2 ** 40, epoch: 7 })]),
    'ack of no policy': () =>
      session('ack of no policy', [hello, ack({ outcomes: [{ ...outcome, policyId: '__proto__' }] })], INVALID),
    'ack of 100,000 policies': () =>
      session(
        'ack of 100,000 policies',
        [hello, ack({ outcomes: Array.from({ length: 100_000 }, () => ({ ...outcome, policyId: `${node}:1:x` })) })],
        ['goes on', 'RESOURCE_EXHAUSTED', 'INVALID_ARGUMENT'],
      ),
    'liveness of another node': () =>
      session('liveness of another node', [hello, liveness({ policyId: 'dc-london:100:dc-athens' })], FOREIGN),
    'more lost than sent': () => session('more lost than sent', [hello, liveness({ probesLost: 11 })], INVALID),
    'round trips out of order': () =>
      session('round trips out of order', [hello, liveness({ roundTripMinUs: 9 })], INVALID),
    'list without SIDs': () => session('list without SIDs', [hello, liveness({ sids: [] })], INVALID),
    'liveness after the year 9999': () =>
      session('liveness after the year 9999', [hello, liveness({ sinceMs: 2 ** 52 })], INVALID),
    'too many interfaces': () =>
      session(
        'too many interfaces',
        [hello, report({ interfaces: Array.from({ length: 4_097 }, () => eth0) })],
        INVALID,
      ),
    'interface with a line break': () =>
      session('interface with a line break', [hello, report({ interfaces: [{ ...eth0, name: 'a\nb' }] })], INVALID),
    'counters at their end': () =>
      session('counters at their end', [
        hello,
        report({ interfaces: [{ ...eth0, rxBytes: Number.MAX_SAFE_INTEGER }] }),
      ]),
    'SID of another node': () => session('SID of another node', [greeting({ ownedSids: sid('fcbb:bb00:1:1::') })]),
    'SID that is none': () =>
      session(
        'SID that is none',
        [greeting({ ownedSids: sid(random.pick(['::', '::1', 'fe80::1', 'ff02::1', '::ffff:1.2.3.4'])) })],
        INVALID,
      ),
    'too many SIDs': () =>
      session(
        'too many SIDs',
        [
          greeting({
            ownedSids: Array.from({ length: 5_000 }, () => ({
              sid: parseAddress('fcbb:bb00:4444::2'),
              behavior: 'End',
            })),
          }),
        ],
        INVALID,
      ),
    'no node id': () =>
      session(
        'no node id',
        [greeting({ nodeId: random.pick(['', '__proto__', 'a:b', '../x', '\u202ea', 'a'.repeat(64)]) })],
        INVALID,
      ),
    'version of control characters': () =>
      session(
        'version of control characters',
        [greeting({ agentVersion: random.pick(['', '1\u0000', '\u001b[31m', 'v'.repeat(101)]) })],
        INVALID,
      ),
    'epoch beyond all': () => session('epoch beyond all', [greeting({ epoch: 2 ** 48 + 1 })], INVALID),
    'heartbeat before the hello': () => session('heartbeat before the hello', [heartbeat], ['FAILED_PRECONDITION']),
    'hello twice': () => session('hello twice', [hello, hello], INVALID),
    'nothing after the hello': () => session('nothing after the hello', [hello, Buffer.alloc(0)], INVALID),
    'larger than messages are': () =>
      session('larger than messages are', [hello, Buffer.alloc(4 * 1024 * 1024 + 1, 0x22)], ['RESOURCE_EXHAUSTED']),
  };
  return (plants[random.pick(Object.keys(plants))] as () => GrpcCase)();
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** HTTP/2 frames as none should be, or another protocol. */
function connectionBytes(random: Random): Buffer {
  const frame = (type: number, flags: number, stream: number, payload: Buffer, length = payload.length): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  const frames = Array.from({ length: 1 + random.below(6) }, () =>
    frame(
      random.below(256),
      random.below(256),
      random.pick([0, 1, 2, 2 ** 31, 2 ** 32 - 1]),
      random.bytes(random.below(100)),
      random.pick([0, 8, 16_385, 0xffffff]),
    ),
  );
  return random.pick<() => Buffer>([
    () => Buffer.concat([preface, ...frames]),
    () => Buffer.concat([preface, frame(4, 0, 0, Buffer.alloc(0)), ...frames]),
    () =>
      Buffer.concat([
        preface,
        frame(4, 0, 0, Buffer.alloc(0)),
        frame(1, 5, 1, random.bytes(60)),
        frame(0, 1, 1, random.bytes(20)),
      ]),
    () => random.bytes(random.below(400)),
    () => Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    () => preface.subarray(0, random.below(preface.length)),
  ])();
}
