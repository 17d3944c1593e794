// Sends small UDP packets until its input ends: `node udp-sender.mjs <address> <port> <flows> [<source>]`, one source port
// a flow, in turns of 10 packets every 5 ms. Says when the first is on its way.
import { createSocket } from 'node:dgram';

const [address = '', port = '', flows = '1', source] = process.argv.slice(2);
const type = address.includes(':') ? 'udp6' : 'udp4';
const sockets = Array.from({ length: Number(flows) }, () => createSocket(type));
if (source !== undefined) for (const socket of sockets) socket.bind(0, source);
let next = 0;
const timer = setInterval(() => {
  for (let burst = 0; burst < 10; burst += 1) {
    const said = next === 0 ? () => process.stdout.write('sending\n') : undefined;
    sockets[next % sockets.length].send('waymark', Number(port), address, said);
    next += 1;
  }
}, 5);
process.stdin.resume().on('end', () => {
  clearInterval(timer);
  for (const socket of sockets) socket.close();
});
