// Counts numbered UDP datagrams inside a pod, and echoes those of 4 bytes (a ping):
//   node probe-receiver.mjs <address>
// Prints {"port": n} when it listens, and a report once its standard input is closed and nothing more arrives.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';

const PING_BYTES = 4;
const IDLE_MS = 200;

const [address = ''] = process.argv.slice(2);
const family = address.includes(':') ? 'udp6' : 'udp4';
const socket = createSocket({ type: family, recvBufferSize: 8 << 20 });
const seen = new Set();
const gaps = [];
let last;
let duplicates = 0;
let reordered = 0;
let maxDelayUs = 0;
let arrived = 0;

socket.on('message', (message, remote) => {
  arrived++;
  if (message.length === PING_BYTES) socket.send(message, remote.port, remote.address);
  else count(Number(message.readBigUInt64BE(0)), message.readBigUInt64BE(8));
});

function count(sequence, sentAt) {
  if (seen.has(sequence)) {
    duplicates++;
    return;
  }
  seen.add(sequence);
  maxDelayUs = Math.max(maxDelayUs, Number((process.hrtime.bigint() - sentAt) / 1000n));
  if (last !== undefined && sequence < last.sequence) {
    reordered++;
    return;
  }
  // By the sender's clock: a receiver that was not scheduled for a while has lost nothing.
  if (last !== undefined && sequence > last.sequence + 1) {
    gaps.push({
      afterSequence: last.sequence,
      lost: sequence - last.sequence - 1,
      us: Number((sentAt - last.sentAt) / 1000n),
    });
  }
  last = { sequence, sentAt };
}

// Datagrams that reached this namespace and found the socket's buffer full: the machine was slow, not the network.
function socketOverruns() {
  if (family === 'udp6') {
    return Number(/^Udp6RcvbufErrors\s+(\d+)$/m.exec(readFileSync('/proc/net/snmp6', 'utf8'))?.[1] ?? 0);
  }
  const udp = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  return Number(udp[1]?.[udp[0]?.indexOf('RcvbufErrors') ?? 0] ?? 0);
}

/**
 * Between two of its timers the event loop reads from the socket. By the clock alone a process that was not scheduled for
 * a while would take what waits in its socket for lost.
 */
function report(arrivedBefore) {
  if (arrived !== arrivedBefore) {
    setTimeout(report, IDLE_MS, arrived);
    return;
  }
  const overruns = socketOverruns() - overrunsAtStart;
  const text = JSON.stringify({ received: seen.size, duplicates, reordered, overruns, maxDelayUs, gaps });
  process.stdout.write(`${text}\n`, () => process.exit(0));
}

const overrunsAtStart = socketOverruns();
socket.bind(0, address, () => {
  process.stdout.write(`${JSON.stringify({ port: socket.address().port })}\n`);
});
process.stdin.on('end', () => setTimeout(report, IDLE_MS, arrived)).resume();
