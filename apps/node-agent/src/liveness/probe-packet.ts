/** First bytes of a probe: `WMP1`. */
const MAGIC = 0x574d5031;

/** Random bytes that tell the probes of this run of this agent from all others. */
export const NONCE_BYTES = 16;
const LENGTH = 4 + NONCE_BYTES + 8;

/** Magic, nonce of the sender, sequence number. The list is known by the sequence number. */
export function probePacket(nonce: Uint8Array, sequence: number): Uint8Array {
  const packet = new Uint8Array(LENGTH);
  const view = new DataView(packet.buffer);
  view.setUint32(0, MAGIC);
  packet.set(nonce, 4);
  view.setBigUint64(4 + NONCE_BYTES, BigInt(sequence));
  return packet;
}

/** The sequence number of a probe that was sent with this nonce; null for anything else that may reach a UDP port. */
export function sequenceOf(packet: Uint8Array, nonce: Uint8Array): number | null {
  if (packet.length !== LENGTH) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (view.getUint32(0) !== MAGIC) return null;
  if (!nonce.every((byte, index) => byte === packet[4 + index])) return null;
  return Number(view.getBigUint64(4 + NONCE_BYTES));
}
