import type { SidPlan } from '../topology-document.js';

/**
 * Used when a file declares no plan: a 32-bit block of the unique local range (RFC 4193), 16-bit nodes and 16-bit
 * functions, the sizes that NEXT-C-SID deployments use (RFC 9800).
 */
export const defaultSidPlan: SidPlan = {
  block: 'fcbb:bb00::/32',
  nodeBits: 16,
  functionBits: 16,
  flavors: ['USD'],
  services: ['End.DT4', 'End.DT6'],
};
