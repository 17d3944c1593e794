// Takes UDP packets until its input ends: `node udp-sink.mjs <port>`. The kernel counts them.
import { createSocket } from 'node:dgram';

const sink = createSocket({ type: 'udp6', recvBufferSize: 4_194_304 });
sink.bind(Number(process.argv[2]), '::', () => process.stdout.write('listening\n'));
process.stdin.resume().on('end', () => sink.close());
