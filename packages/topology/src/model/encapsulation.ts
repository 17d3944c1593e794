import type { EncapMode } from './ted.js';

/** SRH entries a headend can push when nobody knows: what the tightest data plane carries. */
export const DEFAULT_MSD = 5;

/** Smallest inner packet that every path must carry whole: the IPv6 minimum link MTU (RFC 8200 section 5). */
export const MINIMUM_INNER_MTU_BYTES = 1280;

/**
 * SRH entries for a list of `entries`, each a SID or a container (RFC 8986 sections 5.1 and 5.2); a single one needs no SRH in
 * reduced mode.
 */
export function srhEntries(mode: EncapMode, entries: number): number {
  return mode === 'full' ? entries : Math.max(0, entries - 1);
}

/** Outer IPv6 header (40) and SRH (8 + 16 per entry, RFC 8754) in bytes. */
export function headerBytes(mode: EncapMode, entries: number): number {
  const inSrh = srhEntries(mode, entries);
  return inSrh === 0 ? 40 : 40 + 8 + 16 * inSrh;
}

/** Most entries whose headers leave the smallest inner packet on a link of this MTU; negative when not even one does. */
export function entriesThatFit(mode: EncapMode, mtuBytes: number): number {
  const room = mtuBytes - MINIMUM_INNER_MTU_BYTES - 40;
  if (room < 0) return -1;
  const entries = Math.floor((room - 8) / 16);
  return mode === 'full' ? Math.max(0, entries) : Math.max(0, entries) + 1;
}
