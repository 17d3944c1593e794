import type { Testbed } from './testbed.js';

/** Block, node and function of the testbed's SIDs: `fcff` or `fcdd`, 32 bits of node, the rest is the function. */
const SID_STRUCTURE = { blockBits: 16, nodeBits: 32, functionBits: 80, argumentBits: 0 } as const;

/** 10 Gbit/s: a veth has no rate, policies with bandwidth need one. */
const LINK_BANDWIDTH_BPS = 10_000_000_000;

/**
 * The testbed as an operator would declare it to Waymark (native format, JSON): what is configured, SIDs included, but
 * no delay (it is measured) and no state (the IGP knows it).
 */
export function topologyDocument(testbed: Testbed): string {
  const routers = testbed.routers.map(({ id, routerId, locator, endSid }) => ({
    id,
    kind: 'router',
    routerId,
    address: endSid,
    locators: [{ prefix: locator, structure: SID_STRUCTURE }],
    sids: [
      { sid: endSid, behavior: 'End' },
      ...testbed.arcs
        .filter(({ from, endXSid }) => from === id && endXSid !== null)
        .map((arc) => ({ sid: arc.endXSid, behavior: 'End.X', linkId: arc.id })),
    ],
  }));
  const hosts = testbed.hosts.map(({ id, address, locator, serviceSid, pods }) => ({
    id,
    kind: 'host',
    address,
    podPrefixes: pods.flatMap(({ prefix }) => [prefix.ipv4, prefix.ipv6]),
    locators: [{ prefix: locator, scope: 'attachment', structure: SID_STRUCTURE }],
    sids: [
      { sid: serviceSid.ipv4, behavior: 'End.DT4' },
      { sid: serviceSid.ipv6, behavior: 'End.DT6' },
    ],
  }));
  const links = testbed.arcs.map(({ id, from, to, reverseId, address, igpMetric, mtuBytes }) => ({
    id,
    from,
    to,
    reverse: reverseId,
    interfaceAddresses: [address],
    igpMetric,
    bandwidthBps: LINK_BANDWIDTH_BPS,
    mtuBytes,
  }));
  return JSON.stringify({ waymark: 1, nodes: [...routers, ...hosts], links }, null, 2);
}
