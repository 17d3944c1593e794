// Asks a probe receiver for an echo until one comes or the time is up: node ping.mjs <address> <port> <timeout ms>
// Prints {"answered": boolean, "roundTripUs": n}.
import { createSocket } from 'node:dgram';

const RETRY_MS = 50;

const [address = '', port = '', timeoutMs = ''] = process.argv.slice(2);
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
const payload = Buffer.alloc(4);
const deadline = performance.now() + Number(timeoutMs);
let number = 0;
let sentAt = 0;

socket.on('message', (message) => {
  if (message.readUInt32BE(0) === number) report(true);
});
socket.on('error', () => undefined);

function ask() {
  if (performance.now() > deadline) {
    report(false);
    return;
  }
  payload.writeUInt32BE(++number);
  sentAt = performance.now();
  socket.send(Uint8Array.from(payload));
  setTimeout(ask, RETRY_MS);
}

function report(answered) {
  const roundTripUs = Math.round((performance.now() - sentAt) * 1000);
  process.stdout.write(`${JSON.stringify({ answered, roundTripUs })}\n`, () => process.exit(0));
}

socket.connect(Number(port), address, ask);
