const IPV6_HEADER = 40;

/**
 * An IPv6 packet with this chain of headers, by their numbers; the last of them is empty.
 *
 * @param units length of each extension header, beyond the first 8 bytes, in units of 8
 */
export function ipv6Packet([first = 59, ...rest]: readonly number[], units = 0): Uint8Array {
  const length = 8 * (units + 1);
  const packet = Buffer.alloc(IPV6_HEADER + rest.length * length, 0x2b);
  packet.writeUInt8(0x60, 0);
  packet.writeUInt8(first, 6);
  rest.forEach((next, at) => {
    packet.writeUInt8(next, IPV6_HEADER + at * length);
    packet.writeUInt8(units, IPV6_HEADER + at * length + 1);
  });
  return packet;
}
