import { formatAddress } from '../machine/address.js';
import type { NewList, SrPolicies } from '../machine/sr-policies.js';
import type { Handlers } from './handler.js';
import { fixedSize, retvalReply } from './handler.js';

/** What lies in memory behind a message, when VPP reads past its end. */
const BEYOND_THE_MESSAGE = 0xa5;

/** srv6_sid_list: u8 num_sids, u32 weight, 16 × ip6. More than 16 are read from whatever follows. */
function readList(request: Buffer, offset: number, encapSource: Buffer | undefined): NewList {
  const count = request.readUInt8(offset);
  const segments = Array.from({ length: count }, (_, index) => {
    const segment = Buffer.alloc(16, BEYOND_THE_MESSAGE);
    const start = offset + 5 + index * 16;
    request.copy(segment, 0, Math.min(start, request.length), start + 16);
    return segment;
  });
  return { segments, weight: request.readUInt32BE(offset + 1), encapSource };
}

/** An unspecified source in a v2 message means the global one. */
function readEncapSource(request: Buffer, offset: number): Buffer | undefined {
  const source = ipv6At(request, offset);
  return source.every((byte) => byte === 0) ? undefined : source;
}

const ipv6At = (request: Buffer, offset: number): Buffer => Buffer.from(request.subarray(offset, offset + 16));
const textAt = (request: Buffer, offset: number): string => formatAddress(ipv6At(request, offset));

function describeList(
  request: Buffer,
  offset: number,
): { readonly segments: readonly string[]; readonly weight: number } {
  const { segments, weight } = readList(request, offset, undefined);
  return { segments: segments.map((segment) => formatAddress(segment)), weight };
}

const OPERATIONS: Readonly<Record<number, string>> = { 1: 'add-list', 2: 'delete-list', 3: 'change-weight' };

function describeAdd(request: Buffer) {
  return {
    bsid: textAt(request, 10),
    isEncap: request.readUInt8(30) !== 0,
    type: request.readUInt8(31),
    fibTable: request.readUInt32BE(32),
    ...describeList(request, 36),
  };
}

function describeMod(request: Buffer) {
  const operation = request.readUInt8(34);
  return {
    bsid: textAt(request, 10),
    operation: OPERATIONS[operation] ?? operation,
    slIndex: request.readUInt32BE(35),
    ...describeList(request, 43),
  };
}

export const srPolicyHandlers: Handlers = {
  sr_policy_add: {
    size: fixedSize(297),
    describe: describeAdd,
    run: ({ policies }, request) => {
      const list = readList(request, 36, undefined);
      const retval = policies.add(
        ipv6At(request, 10),
        request.readUInt8(31),
        request.readUInt8(30),
        request.readUInt32BE(32),
        list,
      );
      return retvalReply('sr_policy_add_reply', request, retval);
    },
  },
  sr_policy_add_v2: {
    size: fixedSize(313),
    describe: (request) => ({ ...describeAdd(request), encapSource: textAt(request, 297) }),
    run: ({ policies }, request) => {
      const list = readList(request, 36, readEncapSource(request, 297));
      const retval = policies.add(
        ipv6At(request, 10),
        request.readUInt8(31),
        request.readUInt8(30),
        request.readUInt32BE(32),
        list,
      );
      return retvalReply('sr_policy_add_v2_reply', request, retval);
    },
  },
  sr_policy_mod: {
    size: fixedSize(304),
    describe: describeMod,
    run: (machine, request) =>
      retvalReply('sr_policy_mod_reply', request, modify(machine.policies, request, undefined)),
  },
  sr_policy_mod_v2: {
    size: fixedSize(320),
    describe: (request) => ({ ...describeMod(request), encapSource: textAt(request, 304) }),
    run: (machine, request) =>
      retvalReply('sr_policy_mod_v2_reply', request, modify(machine.policies, request, readEncapSource(request, 304))),
  },
  sr_policy_del: {
    size: fixedSize(30),
    describe: (request) => ({ bsid: textAt(request, 10) }),
    run: (machine, request) => {
      const retval = machine.policies.remove(ipv6At(request, 10));
      machine.dropUnusedHiddenTables();
      return retvalReply('sr_policy_del_reply', request, retval);
    },
  },
  sr_set_encap_source: {
    size: fixedSize(26),
    describe: (request) => ({ encapSource: textAt(request, 10) }),
    run: ({ policies }, request) => {
      policies.encapSource = ipv6At(request, 10);
      return retvalReply('sr_set_encap_source_reply', request, 0);
    },
  },
  sr_set_encap_hop_limit: {
    size: fixedSize(11),
    describe: (request) => ({ hopLimit: request.readUInt8(10) }),
    run: ({ policies }, request) => {
      const hopLimit = request.readUInt8(10);
      if (hopLimit === 0) return retvalReply('sr_set_encap_hop_limit_reply', request, -7);
      policies.hopLimit = hopLimit;
      return retvalReply('sr_set_encap_hop_limit_reply', request, 0);
    },
  },
};

function modify(policies: SrPolicies, request: Buffer, encapSource: Buffer | undefined): number {
  const bsid = ipv6At(request, 10);
  const slIndex = request.readUInt32BE(35);
  const list = readList(request, 43, encapSource);
  switch (request.readUInt8(34)) {
    case 1:
      return policies.addList(bsid, list);
    case 2:
      return policies.removeList(bsid, slIndex);
    case 3:
      return policies.changeWeight(bsid, slIndex, list.weight);
    default:
      return -1;
  }
}
