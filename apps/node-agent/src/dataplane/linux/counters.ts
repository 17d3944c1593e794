import {
  DataPlaneError,
  type EdgeDrops,
  type InterfaceCounters,
  type LocalSidCounters,
  type Reading,
} from '../port.js';
import type { Edge } from './edge.js';
import { interpretRoute, parseRoutes } from './route-json.js';
import type { LinuxSettings } from './settings.js';
import type { Shell } from './shell.js';

/** Reads what the kernel counts. Throws DataPlaneError when it cannot be asked. */
export async function readLinuxCounters(settings: LinuxSettings, shell: Shell, edge: Edge): Promise<Reading> {
  const { table, protocol } = settings;
  const marked = ['table', String(table), 'proto', String(protocol)];
  const [kernel, iproute, links, routes, drops] = await Promise.all([
    output(shell, 'uname', ['-sr']),
    output(shell, 'ip', ['-V']),
    output(shell, 'ip', ['-s', '-j', 'link', 'show']),
    output(shell, 'ip', ['-6', '-s', '-N', '-j', '-d', 'route', 'show', ...marked], 'FIB table does not exist'),
    dropsOf(edge),
  ]);
  const interfaces = interfacesIn(links, settings.underlayInterfaces);
  const missing = settings.underlayInterfaces.filter((name) => !interfaces.some((found) => found.name === name));
  return {
    version: `${kernel.trim()}, ${/iproute2-[^\s,]+/.exec(iproute)?.[0] ?? 'iproute2'}`,
    interfaces,
    localSids: localSidsIn(routes, settings),
    edgeDrops: drops.drops,
    notices: [...missing.map((name) => `underlay interface ${name} does not exist`), ...drops.notices],
  };
}

/** Counters of all interfaces but `lo`, those of the underlay first: a node may have more than anybody wants to see. */
export function interfacesIn(json: string, underlay: readonly string[]): InterfaceCounters[] {
  const found = recordsIn(json).flatMap(({ ifname, flags, stats64 }): InterfaceCounters[] => {
    if (typeof ifname !== 'string' || ifname === 'lo' || !isRecord(stats64)) return [];
    const { rx, tx } = stats64;
    if (!isRecord(rx) || !isRecord(tx)) return [];
    const up = Array.isArray(flags) && flags.includes('UP') && flags.includes('LOWER_UP');
    return [
      {
        name: ifname,
        up,
        rxBytes: Number(rx['bytes']),
        rxPackets: Number(rx['packets']),
        txBytes: Number(tx['bytes']),
        txPackets: Number(tx['packets']),
        drops: Number(rx['dropped']) + Number(tx['dropped']),
      },
    ];
  });
  const first = (name: string) => (underlay.includes(name) ? 0 : 1);
  return found.sort((a, b) => first(a.name) - first(b.name));
}

/** The kernel counts packets that it could not process without their bytes. */
function localSidsIn(json: string, settings: LinuxSettings): LocalSidCounters[] {
  const { metric } = settings;
  return parseRoutes(json, 'ipv6').flatMap((route): LocalSidCounters[] => {
    const { stats64 } = route.fields;
    const ours = interpretRoute(route, settings);
    if (ours.kind !== 'local-sid' || route.metric !== metric || !isRecord(stats64)) return [];
    return [
      {
        ...ours.localSid,
        goodPackets: Number(stats64['packets']),
        goodBytes: Number(stats64['bytes']),
        badPackets: Number(stats64['errors']),
        badBytes: 0,
      },
    ];
  });
}

interface EdgeReading {
  readonly drops: readonly EdgeDrops[];
  readonly notices: readonly string[];
}

/** What forwards well is not called out of reach because nft is. */
async function dropsOf(edge: Edge): Promise<EdgeReading> {
  try {
    return { drops: await edge.drops(), notices: [] };
  } catch (error) {
    if (!(error instanceof DataPlaneError)) throw error;
    return { drops: [], notices: [`what the edge drops cannot be read: ${error.message}`] };
  }
}

/** @param empty what a program says, as it fails, when there is nothing to print */
async function output(shell: Shell, program: string, args: readonly string[], empty?: string): Promise<string> {
  const { code, stdout, stderr } = await shell.run(program, args);
  if (empty !== undefined && stderr.includes(empty)) return '';
  if (code !== 0) throw new DataPlaneError(`${program} ${args.join(' ')} failed: ${stderr.trim()}`);
  return stdout;
}

function recordsIn(json: string): Readonly<Record<string, unknown>>[] {
  const parsed: unknown = JSON.parse(json.trim() === '' ? '[]' : json);
  return Array.isArray(parsed) ? parsed.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
