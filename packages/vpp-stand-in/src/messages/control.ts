import type { Handlers, Reply } from './handler.js';
import { answer, fixedSize, nothing, variableSize } from './handler.js';
import { runCli } from './cli.js';

/** VPP does not clear this reply, and sets neither of these 4 bytes. */
const UNINITIALISED = 0xdeadbeef;

/** u32 length, bytes. */
function stringReply(name: string, request: Buffer, text: string, trailing = 0): readonly Reply[] {
  const bytes = Buffer.from(text);
  const reply = answer(name, request, 14 + bytes.length + trailing);
  reply.message.writeUInt32BE(bytes.length, 10);
  bytes.copy(reply.message, 14);
  return [reply];
}

export const controlHandlers: Handlers = {
  control_ping: {
    size: fixedSize(10),
    describe: nothing,
    run: (_machine, request, { pid }) => {
      const reply = answer('control_ping_reply', request, 18);
      reply.message.writeUInt32BE(UNINITIALISED, 10);
      reply.message.writeUInt32BE(pid, 14);
      return [reply];
    },
  },
  get_api_json: {
    size: fixedSize(10),
    asksForClientFirst: true,
    describe: nothing,
    // VPP counts the terminating NUL into the message, not into the string.
    run: (_machine, request, { apiJson }) => stringReply('get_api_json_reply', request, apiJson, 1),
  },
  show_version: {
    size: fixedSize(10),
    describe: nothing,
    run: (_machine, request, { version, buildDate }) => {
      const reply = answer('show_version_reply', request, 362);
      reply.message.write('vpe', 10);
      reply.message.write(version, 42, 31);
      reply.message.write(buildDate, 74, 31);
      reply.message.write('/w/vpp', 106);
      return [reply];
    },
  },
  show_vpe_system_time: {
    size: fixedSize(10),
    describe: nothing,
    run: (_machine, request, { now }) => {
      const reply = answer('show_vpe_system_time_reply', request, 18);
      reply.message.writeDoubleLE(now(), 10);
      return [reply];
    },
  },
  cli_inband: {
    size: variableSize(14, (request) => 14 + request.readUInt32BE(10)),
    describe: (request) => ({ command: commandOf(request) }),
    run: (machine, request, identity) =>
      stringReply('cli_inband_reply', request, runCli(machine, identity, commandOf(request))),
  },
};

function commandOf(request: Buffer): string {
  return request.toString('utf8', 14, 14 + request.readUInt32BE(10));
}
