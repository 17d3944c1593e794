import type { Machine } from '../machine/machine.js';
import type { Fields, Handlers } from './handler.js';
import { answer, fixedSize, nothing, retvalReply, textAt } from './handler.js';

/** ip_table: u32 id, bool is_ip6, name[64]. */
function describe(request: Buffer, tableOffset: number, isAddOffset: number): Fields {
  return {
    isAdd: request.readUInt8(isAddOffset) !== 0,
    tableId: request.readUInt32BE(tableOffset),
    family: request.readUInt8(tableOffset + 4) === 0 ? 'ipv4' : 'ipv6',
    name: textAt(request, tableOffset + 5, 64),
  };
}

function addOrDelete(machine: Machine, request: Buffer, tableOffset: number, isAddOffset: number): void {
  machine.tables.addOrDelete(
    request.readUInt8(isAddOffset) !== 0,
    request.readUInt32BE(tableOffset),
    request.readUInt8(tableOffset + 4) !== 0,
    textAt(request, tableOffset + 5, 64),
  );
}

export const ipTableHandlers: Handlers = {
  ip_table_add_del: {
    size: fixedSize(80),
    describe: (request) => describe(request, 11, 10),
    run: (machine, request) => {
      addOrDelete(machine, request, 11, 10);
      return retvalReply('ip_table_add_del_reply', request, 0);
    },
  },
  ip_table_add_del_v2: {
    size: fixedSize(81),
    describe: (request) => describe(request, 10, 80),
    run: (machine, request) => {
      addOrDelete(machine, request, 10, 80);
      return retvalReply('ip_table_add_del_v2_reply', request, 0);
    },
  },
  ip_table_dump: {
    size: fixedSize(10),
    asksForClientFirst: true,
    describe: nothing,
    run: ({ tables }, request) =>
      [...tables.ipv4.all(), ...tables.ipv6.all()].map(({ id, family, name }) => {
        const reply = answer('ip_table_details', request, 75);
        reply.message.writeUInt32BE(id, 6);
        reply.message.writeUInt8(family === 'ipv6' ? 1 : 0, 10);
        reply.message.write(name, 11, 64);
        return reply;
      }),
  },
};
