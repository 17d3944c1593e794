import type { Interface } from '../machine/interfaces.js';
import type { Handlers, Reply } from './handler.js';
import { answer, fixedSize, variableSize } from './handler.js';

const ALL = 0xffffffff;
const ADMIN_UP_AND_LINK_UP = 3;
const TYPE_SUB = 1;
const FULL_DUPLEX = 2;
const ONE_TAG_EXACT_MATCH = 2 | 16;

function details(request: Buffer, each: Interface): Reply {
  const reply = answer('sw_interface_details', request, 295);
  const { message } = reply;
  const { swIfIndex, parent, vlan = 0, mtu = 9000 } = each;
  message.writeUInt32BE(swIfIndex, 6);
  message.writeUInt32BE(parent ?? swIfIndex, 10);
  if (parent === undefined) macOf(each).copy(message, 14);
  message.writeUInt32BE(each.isUp === false ? 0 : ADMIN_UP_AND_LINK_UP, 20);
  message.writeUInt32BE(parent === undefined ? 0 : TYPE_SUB, 24);
  message.writeUInt32BE(FULL_DUPLEX, 28);
  message.writeUInt32BE(10_000_000, 32);
  message.writeUInt16BE(mtu, 36);
  message.writeUInt32BE(mtu, 38);
  if (parent !== undefined) {
    message.writeUInt32BE(vlan, 54);
    message.writeUInt8(1, 58);
    message.writeUInt16BE(vlan, 59);
    message.writeUInt32BE(ONE_TAG_EXACT_MATCH, 63);
  }
  message.write(each.name, 103, 63);
  message.write(each.deviceType ?? 'dpdk', 167, 63);
  message.write(each.tag ?? '', 231, 63);
  return reply;
}

function macOf({ mac }: Interface): Buffer {
  return mac === undefined ? Buffer.alloc(6) : Buffer.from(mac.replaceAll(':', ''), 'hex');
}

const filterOf = (request: Buffer): string => request.toString('utf8', 19, 19 + request.readUInt32BE(15));

const INVALID_SW_IF_INDEX = -2;

export const interfaceHandlers: Handlers = {
  sw_interface_get_table: {
    // sw_if_index@10, is_ipv6@14
    size: fixedSize(15),
    describe: (request) => ({ swIfIndex: request.readUInt32BE(10), isIpv6: request.readUInt8(14) !== 0 }),
    run: ({ interfaces }, request) => {
      const found = interfaces.get(request.readUInt32BE(10));
      const reply = answer('sw_interface_get_table_reply', request, 14);
      reply.message.writeInt32BE(found === undefined ? INVALID_SW_IF_INDEX : 0, 6);
      const table = request.readUInt8(14) === 0 ? found?.ipv4Table : found?.ipv6Table;
      reply.message.writeUInt32BE(table ?? 0, 10);
      return [reply];
    },
  },
  sw_interface_dump: {
    // sw_if_index@10, name_filter_valid@14, name_filter: u32 length@15, bytes@19
    size: variableSize(19, (request) => 19 + request.readUInt32BE(15)),
    asksForClientFirst: true,
    describe: (request) => ({ swIfIndex: request.readUInt32BE(10), filter: filterOf(request) }),
    run: ({ interfaces }, request) => {
      const wanted = request.readUInt32BE(10);
      const hasFilter = request.readUInt8(14) !== 0;
      // VPP takes 0 for all, like 0xffffffff.
      if (!hasFilter && wanted !== ALL && wanted !== 0) {
        const one = interfaces.get(wanted);
        return one === undefined ? [] : [details(request, one)];
      }
      const filter = hasFilter ? filterOf(request).toLowerCase() : '';
      return interfaces
        .all()
        .filter(({ name }) => name.toLowerCase().includes(filter))
        .map((each) => details(request, each));
    },
  },
};
