import type { SessionRequest, TableRequest } from '../machine/classifiers.js';
import { NONE } from '../machine/classifiers.js';
import type { AclTables } from '../machine/input-acls.js';
import type { Handlers } from './handler.js';
import { answer, fixedSize, nothing, retvalReply, variableSize } from './handler.js';

const INVALID_SW_IF_INDEX = -2;
const CLASSIFY_TABLE_NOT_FOUND = -91;

/** is_add@10 del_chain@11 table_index@12 nbuckets@16 memory_size@20 skip@24 match@28 next@32 miss@36 flag@40 offset@41 mask_len@43 mask@47 */
function tableRequest(request: Buffer): TableRequest {
  return {
    isAdd: request.readUInt8(10) !== 0,
    deletesChain: request.readUInt8(11) !== 0,
    index: request.readUInt32BE(12),
    table: {
      buckets: request.readUInt32BE(16),
      memory: request.readUInt32BE(20),
      skipVectors: request.readUInt32BE(24),
      matchVectors: request.readUInt32BE(28),
      nextTable: request.readUInt32BE(32),
      missNextIndex: request.readUInt32BE(36),
      currentDataFlag: request.readUInt8(40),
      currentDataOffset: request.readInt16BE(41),
      mask: Buffer.from(request.subarray(47, 47 + request.readUInt32BE(43))),
    },
  };
}

/** is_add@10 table_index@11 hit_next@15 opaque@19 advance@23 action@27 metadata@28 match_len@32 match@36 */
function sessionRequest(request: Buffer): SessionRequest {
  return {
    isAdd: request.readUInt8(10) !== 0,
    table: request.readUInt32BE(11),
    hitNextIndex: request.readUInt16BE(17),
    opaqueIndex: request.readUInt32BE(19),
    advance: request.readInt32BE(23),
    action: request.readUInt8(27),
    metadata: request.readUInt32BE(28),
    match: Buffer.from(request.subarray(36, 36 + request.readUInt32BE(32))),
  };
}

/** sw_if_index@10 ip4@14 ip6@18 l2@22 is_add@26 */
function aclRequest(request: Buffer): {
  readonly swIfIndex: number;
  readonly tables: AclTables;
  readonly isAdd: boolean;
} {
  const tables = { ip4: request.readUInt32BE(14), ip6: request.readUInt32BE(18), l2: request.readUInt32BE(22) };
  return { swIfIndex: request.readUInt32BE(10), tables, isAdd: request.readUInt8(26) !== 0 };
}

const tableOf = (request: Buffer) => ({ table: request.readUInt32BE(10) });

export const classifyHandlers: Handlers = {
  classify_add_del_table: {
    size: variableSize(47, (request) => 47 + request.readUInt32BE(43)),
    describe: (request) => ({ ...tableRequest(request) }),
    run: ({ classifiers, inputAcls }, request) => {
      const { retval, index } = classifiers.addOrDelete(tableRequest(request));
      inputAcls.dieOfMissingTables();
      const reply = answer('classify_add_del_table_reply', request, 22);
      const added = classifiers.find(index);
      reply.message.writeInt32BE(retval, 6);
      reply.message.writeUInt32BE(index, 10);
      reply.message.writeUInt32BE(added?.skipVectors ?? NONE, 14);
      reply.message.writeUInt32BE(added?.matchVectors ?? NONE, 18);
      return [reply];
    },
  },
  classify_add_del_session: {
    size: variableSize(36, (request) => 36 + request.readUInt32BE(32)),
    describe: (request) => ({ ...sessionRequest(request) }),
    run: ({ classifiers }, request) =>
      retvalReply('classify_add_del_session_reply', request, classifiers.addOrDeleteSession(sessionRequest(request))),
  },
  classify_table_ids: {
    size: fixedSize(10),
    asksForClientFirst: true,
    describe: nothing,
    run: ({ classifiers }, request) => {
      const ids = [...classifiers.tables.live()].map(([index]) => index);
      const reply = answer('classify_table_ids_reply', request, 14 + 4 * ids.length);
      reply.message.writeUInt32BE(ids.length, 10);
      ids.forEach((id, at) => reply.message.writeUInt32BE(id, 14 + 4 * at));
      return [reply];
    },
  },
  classify_table_info: {
    size: fixedSize(14),
    asksForClientFirst: true,
    describe: tableOf,
    run: ({ classifiers }, request) => {
      const id = request.readUInt32BE(10);
      const table = classifiers.find(id);
      const reply = answer('classify_table_info_reply', request, 42 + (table?.mask.length ?? 0));
      const { message } = reply;
      if (table === undefined) {
        // VPP writes the return code into memory that it has not cleared, and nothing else.
        message.fill(0xff, 10);
        message.writeInt32BE(CLASSIFY_TABLE_NOT_FOUND, 6);
        return [reply];
      }
      const { buckets, matchVectors, skipVectors, sessions, nextTable, missNextIndex, mask } = table;
      const fields = [id, buckets, matchVectors, skipVectors, sessions.size, nextTable, missNextIndex, mask.length];
      fields.forEach((field, at) => message.writeUInt32BE(field, 10 + 4 * at));
      mask.copy(message, 42);
      return [reply];
    },
  },
  classify_session_dump: {
    size: fixedSize(14),
    asksForClientFirst: true,
    describe: tableOf,
    run: ({ classifiers }, request) => {
      const table = request.readUInt32BE(10);
      return [...(classifiers.find(table)?.sessions.values() ?? [])].map((session) => {
        const reply = answer('classify_session_details', request, 30 + session.key.length);
        const { message } = reply;
        message.writeUInt32BE(table, 10);
        message.writeUInt32BE(session.hitNextIndex, 14);
        message.writeInt32BE(session.advance, 18);
        message.writeUInt32BE(session.opaqueIndex, 22);
        message.writeUInt32BE(session.key.length, 26);
        session.key.copy(message, 30);
        return reply;
      });
    },
  },
  classify_table_by_interface: {
    size: fixedSize(14),
    describe: (request) => ({ swIfIndex: request.readUInt32BE(10) }),
    run: ({ interfaces, inputAcls }, request) => {
      const swIfIndex = request.readUInt32BE(10);
      const isThere = interfaces.has(swIfIndex);
      const { ip4, ip6, l2 } = isThere ? inputAcls.tablesOf(swIfIndex) : { ip4: NONE, ip6: NONE, l2: NONE };
      const reply = answer('classify_table_by_interface_reply', request, 26);
      reply.message.writeInt32BE(isThere ? 0 : INVALID_SW_IF_INDEX, 6);
      [swIfIndex, l2, ip4, ip6].forEach((field, at) => reply.message.writeUInt32BE(field, 10 + 4 * at));
      return [reply];
    },
  },
  input_acl_set_interface: {
    size: fixedSize(27),
    describe: aclRequest,
    run: ({ interfaces, inputAcls }, request) => {
      const { swIfIndex, tables, isAdd } = aclRequest(request);
      const retval = interfaces.has(swIfIndex) ? inputAcls.set(swIfIndex, tables, isAdd) : INVALID_SW_IF_INDEX;
      inputAcls.dieOfMissingTables();
      return retvalReply('input_acl_set_interface_reply', request, retval);
    },
  },
};
