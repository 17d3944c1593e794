import { parseAddress } from '../dataplane/address.js';
import { ipv6Packet } from './ipv6-packet.js';

const UDP = 17;

/** A packet without anything behind its IP header. @param headers of IPv6, by their numbers */
export function ipPacket(source: string, destination: string, headers: readonly number[] = [UDP]): Uint8Array {
  if (source.includes(':')) {
    const packet = ipv6Packet(headers);
    packet.set(parseAddress(source), 8);
    packet.set(parseAddress(destination), 24);
    return packet;
  }
  const packet = new Uint8Array(20);
  packet.set([0x45, 0, 0, 20, 0, 0, 0, 0, 64, UDP]);
  packet.set(parseAddress(source), 12);
  packet.set(parseAddress(destination), 16);
  return packet;
}
