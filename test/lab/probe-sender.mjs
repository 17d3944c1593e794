// Sends numbered UDP datagrams from inside a pod at a steady rate, one flow:
//   node probe-sender.mjs <address> <port> <interval us> <count>
// Count 0: until its standard input closes. Prints {"sent": n} at the end.
import { createSocket } from 'node:dgram';

const [address = '', port = '', intervalUs = '', count = ''] = process.argv.slice(2);
const endless = Number(count) === 0;
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
const payload = Buffer.alloc(16);
const startedAt = process.hrtime.bigint();
let sent = 0;
let stopping = false;

process.stdin.on('end', () => (stopping = endless)).resume();

function tick() {
  // A late timer is made up for: the rate holds, and every number is sent.
  const elapsedUs = Number((process.hrtime.bigint() - startedAt) / 1000n);
  const scheduled = Math.floor(elapsedUs / Number(intervalUs)) + 1;
  const due = endless ? scheduled : Math.min(Number(count), scheduled);
  while (sent < due) {
    payload.writeBigUInt64BE(BigInt(sent), 0);
    payload.writeBigUInt64BE(process.hrtime.bigint(), 8);
    socket.send(Uint8Array.from(payload));
    sent++;
  }
  if (stopping || (!endless && sent === Number(count))) finish();
  else setTimeout(tick, Math.max(1, Number(intervalUs) / 1000));
}

// What still waits to be sent would be dropped by closing.
function finish() {
  if (socket.getSendQueueCount() > 0) setTimeout(finish, 1);
  else socket.close(report);
}

function report() {
  process.stdout.write(`${JSON.stringify({ sent })}\n`, () => process.exit(0));
}

// Connected: one source port, so one flow for every ECMP hash, and an ICMP error is not fatal to the run.
socket.on('error', () => undefined);
socket.connect(Number(port), address, tick);
