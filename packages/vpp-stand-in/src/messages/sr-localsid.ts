import { formatAddress } from '../machine/address.js';
import { readIp46 } from '../machine/ip46.js';
import type { LocalsidRequest } from '../machine/sr-localsids.js';
import type { Handlers } from './handler.js';
import { fixedSize, retvalReply } from './handler.js';

function read(request: Buffer, lengths: LocalsidRequest['lengths']): LocalsidRequest {
  return {
    isDelete: request.readUInt8(10) !== 0,
    address: Buffer.from(request.subarray(11, 27)),
    endPsp: request.readUInt8(27),
    behavior: request.readUInt8(28),
    swIfIndex: request.readUInt32BE(29),
    fibTable: request.readUInt32BE(37),
    nextHop: readIp46(request, 41),
    lengths,
  };
}

const lengthsOf = (request: Buffer): LocalsidRequest['lengths'] => [
  request.readUInt8(58),
  request.readUInt8(59),
  request.readUInt8(60),
];

function describe(request: Buffer) {
  const { isDelete, address, endPsp, behavior, swIfIndex, fibTable } = read(request, [0, 0, 0]);
  return { isDelete, address: formatAddress(address), endPsp: endPsp !== 0, behavior, swIfIndex, fibTable };
}

export const srLocalsidHandlers: Handlers = {
  sr_localsid_add_del: {
    size: fixedSize(58),
    describe,
    run: ({ localsids }, request) =>
      retvalReply('sr_localsid_add_del_reply', request, localsids.addOrDelete(read(request, [0, 0, 0]))),
  },
  sr_localsid_add_del_v2: {
    size: fixedSize(61),
    describe: (request) => ({ ...describe(request), lengths: lengthsOf(request) }),
    run: ({ localsids }, request) =>
      retvalReply('sr_localsid_add_del_v2_reply', request, localsids.addOrDelete(read(request, lengthsOf(request)))),
  },
};
