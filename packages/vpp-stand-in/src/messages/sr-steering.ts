import { formatAddress } from '../machine/address.js';
import { ipv4Of, readIp46 } from '../machine/ip46.js';
import { TRAFFIC } from '../machine/sr-steering.js';
import type { SteeringKey } from '../machine/sr-steering.js';
import type { Handlers } from './handler.js';
import { fixedSize, retvalReply } from './handler.js';

function readKey(request: Buffer): SteeringKey {
  return {
    tableId: request.readUInt32BE(31),
    prefix: readIp46(request, 35),
    length: request.readUInt8(52),
    swIfIndex: request.readUInt32BE(53),
    trafficType: request.readUInt8(57),
  };
}

const bsidOf = (request: Buffer): Buffer => Buffer.from(request.subarray(11, 27));

export const srSteeringHandlers: Handlers = {
  sr_steering_add_del: {
    size: fixedSize(58),
    describe: (request) => {
      const { trafficType, tableId, prefix, length, swIfIndex } = readKey(request);
      const address = trafficType === TRAFFIC.ipv4 ? ipv4Of(prefix) : prefix;
      return {
        isDelete: request.readUInt8(10) !== 0,
        bsid: formatAddress(bsidOf(request)),
        tableId,
        prefix: `${formatAddress(address)}/${String(length)}`,
        swIfIndex,
        trafficType,
      };
    },
    run: (machine, request) => {
      const isDelete = request.readUInt8(10) !== 0;
      const retval = machine.steering.addOrDelete(isDelete, readKey(request), bsidOf(request));
      if (isDelete) machine.dropUnusedHiddenTables();
      return retvalReply('sr_steering_add_del_reply', request, retval);
    },
  },
};
