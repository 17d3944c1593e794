/**
 * VPP's ip46_address_t: 16 bytes, an IPv4 address in the last 4 with 12 zero bytes in front. Nothing marks the family,
 * so any IPv6 address below ::1:0:0 reads back as IPv4.
 */
export type Ip46 = Buffer;

/** Reads an API address (u8 family, 16 bytes) at `offset`. Any family but 1 is IPv4. */
export function readIp46(message: Buffer, offset: number): Ip46 {
  if (message[offset] === 1) return Buffer.from(message.subarray(offset + 1, offset + 17));
  return Buffer.concat([Buffer.alloc(12), message.subarray(offset + 1, offset + 5)]);
}

/** Writes it as an API address, guessing the family as VPP does. */
export function writeIp46(message: Buffer, offset: number, address: Ip46): void {
  const isIpv4 = address.subarray(0, 12).every((byte) => byte === 0);
  message[offset] = isIpv4 ? 0 : 1;
  address.copy(message, offset + 1, isIpv4 ? 12 : 0, 16);
}

export const ipv4Of = (address: Ip46): Buffer => address.subarray(12, 16);
