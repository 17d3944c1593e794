import {
  ControllerMessage,
  DesiredPolicy,
  Family,
  NEWEST_VERSION,
  stateHashOf,
  TunnelAction,
  type PolicyChange,
  type SnapshotChunk,
  type Tunnel,
} from '@waymark/agent-protocol';
import { policyBody } from '../../../apps/controller/src/testing/distribution-fixture.js';
import type { FuzzCase } from '../campaign.js';
import { mutatedBytes, mutatedProtobuf } from '../mutate-protobuf.js';
import type { Random } from '../random.js';
import type { HostileController } from './hostile-controller.js';

export interface ControllerCase extends FuzzCase {
  /** Chunks of a snapshot, or bytes said in the session. */
  readonly snapshot?: readonly Buffer[];
  readonly said?: Buffer;
  /** A second policy beside the one that is there, whose body is wrong: it must fail with a reason, and alone. */
  readonly failing?: PolicyChange;
}

export const STEADY = 'h1:1:x';
const FAILING = 'h1:2:y';

const address = (...bytes: readonly number[]): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => bytes[i] ?? 0);
const ipv6 = (length: number, ...bytes: readonly number[]) => ({
  family: Family.IPV6,
  address: address(...bytes),
  length,
});

const soundTunnel: Tunnel = {
  ...{
    family: Family.IPV6,
    action: TunnelAction.ENCAPSULATE,
    bsid: address(0xfd, 9),
    alternateBsid: address(0xfd, 10),
  },
  ...{
    segmentLists: [{ weight: 1, sids: [address(0xfc, 7)], way: 0 }],
    standbyLists: [],
    steeredPrefixes: [ipv6(16, 0x20, 1)],
    classPrefixes: [],
  },
};

const list = { weight: 1, sids: [address(0xfc, 7)], way: 0 };

/** Policies that break a rule of what a policy can be. */
const contradictions: Readonly<Record<string, Partial<Tunnel>>> = {
  'prefix with host bits': { steeredPrefixes: [ipv6(8, 0x20, 1)] },
  'prefix too long': { steeredPrefixes: [ipv6(129)] },
  'prefix of another family': {
    steeredPrefixes: [{ family: Family.IPV4, address: Uint8Array.of(10, 0, 0, 0), length: 8 }],
  },
  'prefix of no length': { steeredPrefixes: [{ family: Family.IPV6, address: new Uint8Array(4), length: 0 }] },
  'prefix twice': { steeredPrefixes: [ipv6(16, 0x20, 1), ipv6(16, 0x20, 1)] },
  'class prefix twice': { classPrefixes: [ipv6(16, 0x20, 2), ipv6(16, 0x20, 2)] },
  'SID of 15 bytes': { segmentLists: [{ ...list, sids: [new Uint8Array(15)] }] },
  'no SIDs': { segmentLists: [{ ...list, sids: [] }] },
  '128 SIDs': { segmentLists: [{ ...list, sids: Array.from({ length: 128 }, () => address(0xfc, 7)) }] },
  'weight 0': { segmentLists: [{ ...list, weight: 0 }] },
  'no lists': { segmentLists: [] },
  'drops and encapsulates': { action: TunnelAction.DROP },
  'no action': { action: TunnelAction.UNSPECIFIED },
  'no family': { family: Family.UNSPECIFIED },
  'one binding SID': { alternateBsid: address(0xfd, 9) },
  'binding SID of 4 bytes': { bsid: new Uint8Array(4) },
};

export function controllerCase(random: Random, controller: HostileController): ControllerCase {
  const { generation } = controller.wanted;
  const change = (more: Partial<PolicyChange> = {}): PolicyChange => ({
    policyId: STEADY,
    generation: generation + 1,
    deleted: false,
    body: policyBody(STEADY, 99),
    ...more,
  });
  const chunk = (policies: readonly PolicyChange[], more: Partial<SnapshotChunk> = {}): Buffer =>
    controller.chunk({
      generation: generation + 1,
      policies: [...policies],
      stateHash: stateHashOf(policies),
      ...more,
    });
  const made = (kind: string, ...snapshot: readonly Buffer[]): ControllerCase => ({
    kind,
    snapshot,
    text: text(snapshot),
  });
  const said = (kind: string, bytes: Buffer): ControllerCase => ({ kind, said: bytes, text: text([bytes]) });
  const digest = ControllerMessage.encode({ message: { $case: 'digest', value: controller.digest() } }).finish();
  const cases: Readonly<Record<string, () => ControllerCase>> = {
    'hash that is wrong': () => made('hash that is wrong', chunk([change()], { stateHash: new Uint8Array(32) })),
    'hash of no length': () => made('hash of no length', chunk([change()], { stateHash: new Uint8Array(31) })),
    'of another instance': () => made('of another instance', chunk([change()], { instance: 'another' })),
    'of an old generation': () => made('of an old generation', chunk([change()], { generation: 0 })),
    'of an old epoch': () => made('of an old epoch', chunk([change()], { epoch: 0 })),
    'policy twice': () => made('policy twice', chunk([change(), change()])),
    'deleted policy': () => made('deleted policy', chunk([change({ deleted: true })])),
    'policy without a body': () => made('policy without a body', chunk([change({ body: new Uint8Array(0) })])),
    'policy of another node': () =>
      made('policy of another node', chunk([change({ policyId: 'h2:1:x', body: policyBody('h2:1:x') })])),
    'policy named __proto__': () => made('policy named __proto__', chunk([change({ policyId: '__proto__' })])),
    'block with host bits': () =>
      made(
        'block with host bits',
        chunk([change()], { bsidBlock: { family: Family.IPV6, address: address(0xfd, 1), length: 8 } }),
      ),
    'no end': () =>
      made(
        'no end',
        ...Array.from({ length: 50 }, (_, i) => chunk([change({ policyId: `h1:${i + 1}:x` })], { last: false })),
      ),
    'no chunks': () => made('no chunks'),
    'chunks in another order': () =>
      made('chunks in another order', chunk([], { last: false, stateHash: new Uint8Array(32) }), chunk([change()])),
    'snapshot changed': () =>
      made('snapshot changed', mutatedProtobuf(random, chunk([change()], { stateHash: new Uint8Array(32) }))),
    'snapshot of noise': () => made('snapshot of noise', random.bytes(random.below(300))),
    'message changed': () => said('message changed', mutatedBytes(random, Buffer.from(digest))),
    'empty message': () => said('empty message', Buffer.alloc(0)),
    'welcome without a key': () => {
      const value = {
        instance: '',
        publicKey: random.bytes(40),
        channel: '',
        heartbeatIntervalMs: 0,
        digest: undefined,
        version: NEWEST_VERSION,
      };
      return said(
        'welcome without a key',
        Buffer.from(ControllerMessage.encode({ message: { $case: 'welcome', value } }).finish()),
      );
    },
    'receipt of nothing': () =>
      said(
        'receipt of nothing',
        Buffer.from(
          ControllerMessage.encode({ message: { $case: 'ackReceipt', value: { sequence: 2 ** 52 } } }).finish(),
        ),
      ),
  };
  if (random.chance(0.35)) return failing(random, generation);
  return (cases[random.pick(Object.keys(cases))] as () => ControllerCase)();
}

function failing(random: Random, generation: number): ControllerCase {
  const sound = { policyId: FAILING, color: 2, endpoint: address(0xfd, 1), usesPlannedSids: false };
  const encoded = (policy: Partial<DesiredPolicy>): Buffer =>
    Buffer.from(DesiredPolicy.encode({ ...sound, tunnels: [soundTunnel], ...policy }).finish());
  const [kind, body] = random.pick<() => readonly [string, Buffer]>([
    ...Array.from({ length: 6 }, () => () => {
      const planted = random.pick(Object.keys(contradictions));
      return [planted, encoded({ tunnels: [{ ...soundTunnel, ...contradictions[planted] }] })] as const;
    }),
    () => ['two tunnels of a family', encoded({ tunnels: [soundTunnel, soundTunnel] })],
    () => ['color of another', encoded({ color: 3 })],
    () => ['id of another', encoded({ policyId: 'h1:2:z' })],
    () => ['endpoint of 4 bytes', encoded({ endpoint: new Uint8Array(4) })],
    () => ['unknown field', Buffer.concat([encoded({}), Buffer.from([0xf8, 0x07, 0x01])])],
    () => ['noise as a body', Buffer.concat([Buffer.from([0xff]), random.bytes(1 + random.below(60))])],
  ])();
  const change = { policyId: FAILING, generation: generation + 1, deleted: false, body };
  return { kind: `policy: ${kind}`, failing: change, text: body.toString('base64') };
}

function text(buffers: readonly Buffer[]): string {
  return buffers.map((bytes) => bytes.subarray(0, 200).toString('base64')).join(' ');
}
