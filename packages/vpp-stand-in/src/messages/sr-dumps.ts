import { VppCrash } from '../machine/crash.js';
import { writeIp46 } from '../machine/ip46.js';
import type { Machine } from '../machine/machine.js';
import type { Localsid } from '../machine/sr-localsids.js';
import type { SegmentList, SrPolicy } from '../machine/sr-policies.js';
import type { Steering } from '../machine/sr-steering.js';
import { TRAFFIC } from '../machine/sr-steering.js';
import type { Handler, Handlers, Reply } from './handler.js';
import { answer, fixedSize, nothing } from './handler.js';

const dump = (run: Handler['run']): Handler => ({
  size: fixedSize(10),
  asksForClientFirst: true,
  describe: nothing,
  run,
});

export const srDumpHandlers: Handlers = {
  sr_policies_dump: dump((machine, request) =>
    livePolicies(machine).map((policy) => {
      const lists = listsOf(machine, policy);
      const reply = answer('sr_policies_details', request, 29 + lists.length * 261);
      writeHead(reply.message, policy);
      for (const [index, [, list]] of lists.entries()) writeList(reply.message, 29 + index * 261, list);
      return reply;
    }),
  ),
  sr_policies_v2_dump: dump((machine, request) =>
    livePolicies(machine).map((policy) => {
      const lists = listsOf(machine, policy);
      const reply = answer('sr_policies_v2_details', request, 45 + lists.length * 261);
      const { message } = reply;
      policy.bsid.copy(message, 6);
      policy.encapSource.copy(message, 22);
      message.writeUInt8(policy.type, 38);
      message.writeUInt8(policy.isEncap, 39);
      message.writeUInt32BE(policy.fibTable, 40);
      message.writeUInt8(policy.lists.length & 0xff, 44);
      for (const [index, [, list]] of lists.entries()) writeList(message, 45 + index * 261, list);
      return reply;
    }),
  ),
  sr_policies_with_sl_index_dump: dump((machine, request) =>
    livePolicies(machine).map((policy) => {
      const lists = listsOf(machine, policy);
      const reply = answer('sr_policies_with_sl_index_details', request, 29 + lists.length * 265);
      const { message } = reply;
      writeHead(message, policy);
      for (const [index, [slIndex, list]] of lists.entries()) {
        const offset = 29 + index * 265;
        message.writeUInt8(list.segments.length, offset);
        message.writeUInt32BE(list.weight, offset + 1);
        message.writeUInt32BE(slIndex, offset + 5);
        writeSegments(message, offset + 9, list);
      }
      return reply;
    }),
  ),
  sr_steering_pol_dump: dump((machine, request) =>
    [...machine.steering.pool.live()].map(([, steering]) => steeringDetails(machine, request, steering)),
  ),
  sr_localsids_dump: dump((machine, request) =>
    [...machine.localsids.pool.live()].map(([, localsid]) => {
      const reply = answer('sr_localsids_details', request, 53);
      writeLocalsid(reply.message, localsid);
      return reply;
    }),
  ),
  sr_localsids_with_packet_stats_dump: dump((machine, request) => {
    machine.leakedDumps += 1;
    return [...machine.localsids.pool.live()].map(([, localsid]) => {
      const reply = answer('sr_localsids_with_packet_stats_details', request, 85);
      writeLocalsid(reply.message, localsid);
      const { goodBytes, goodPackets, badBytes, badPackets } = localsid.counters;
      reply.message.writeBigUInt64BE(goodBytes, 53);
      reply.message.writeBigUInt64BE(goodPackets, 61);
      reply.message.writeBigUInt64BE(badBytes, 69);
      reply.message.writeBigUInt64BE(badPackets, 77);
      return reply;
    });
  }),
};

const livePolicies = (machine: Machine): readonly SrPolicy[] =>
  [...machine.policies.pool.live()].map(([, policy]) => policy);

function listsOf(machine: Machine, policy: SrPolicy): readonly (readonly [slIndex: number, list: SegmentList])[] {
  return policy.lists.values().flatMap((slIndex) => {
    const list = machine.policies.lists.at(slIndex);
    return list === undefined ? [] : [[slIndex, list] as const];
  });
}

/** bsid, is_spray, is_encap, fib_table, number of lists: one byte, which wraps beyond 255 while all lists follow. */
function writeHead(message: Buffer, policy: SrPolicy): void {
  policy.bsid.copy(message, 6);
  message.writeUInt8(policy.type, 22);
  message.writeUInt8(policy.isEncap, 23);
  message.writeUInt32BE(policy.fibTable, 24);
  message.writeUInt8(policy.lists.length & 0xff, 28);
}

function writeList(message: Buffer, offset: number, list: SegmentList): void {
  message.writeUInt8(list.segments.length, offset);
  message.writeUInt32BE(list.weight, offset + 1);
  writeSegments(message, offset + 5, list);
}

/** A 17th segment runs into the next list, and beyond the last one out of the message. */
function writeSegments(message: Buffer, offset: number, list: SegmentList): void {
  for (const [index, segment] of list.segments.entries()) {
    const start = offset + index * 16;
    if (start < message.length) segment.copy(message, start);
  }
}

function steeringDetails(machine: Machine, request: Buffer, steering: Steering): Reply {
  const reply = answer('sr_steering_pol_details', request, 49);
  const { message } = reply;
  // VPP keeps sw_if_index and prefix in the same memory and sends both, whatever the type.
  const shared = Buffer.from(steering.prefix);
  if (steering.trafficType === TRAFFIC.l2) shared.writeUInt32LE(steering.swIfIndex, 0);
  message.writeUInt8(steering.trafficType, 6);
  message.writeUInt32BE(steering.tableId, 7);
  writeIp46(message, 11, shared);
  message.writeUInt8(steering.length, 28);
  message.writeUInt32BE(shared.readUInt32LE(0), 29);
  machine.policies.pool.at(steering.policySlot)?.bsid.copy(message, 33);
  return reply;
}

/** Looking up the id of an inner table that does not exist kills VPP. */
function writeLocalsid(message: Buffer, localsid: Localsid): void {
  if (localsid.interfaceOrTable === undefined) throw new VppCrash('localsid-dump-of-missing-table');
  localsid.address.copy(message, 6);
  message.writeUInt8(localsid.endPsp, 22);
  message.writeUInt8(localsid.behavior, 23);
  message.writeUInt32BE(localsid.fibTable, 24);
  writeIp46(message, 32, localsid.nextHop);
  message.writeUInt32BE(localsid.interfaceOrTable, 49);
}
