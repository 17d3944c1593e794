import type { Namespaces } from './namespaces.js';

/** A route as the kernel holds it. */
export interface KernelRoute {
  /** `default` for 0/0. */
  readonly prefix: string;
  /** Who put it there: `bird`, `kernel`, `boot` (by hand), `200` (a node agent). */
  readonly protocol: string;
  /** `seg6`: packets are put into a tunnel; `seg6local`: a SID of this machine. */
  readonly encap: 'seg6' | 'seg6local' | null;
  /** The SIDs of a tunnel with one segment list, first to visit first. */
  readonly segmentList: readonly string[];
}

interface RouteJson {
  readonly dst: string;
  readonly protocol: string;
  readonly encap?: 'seg6' | 'seg6local';
  readonly segs?: readonly string[];
}

/** Every route of a machine, in all tables and both families. */
export async function kernelRoutes(namespaces: Namespaces, node: string): Promise<readonly KernelRoute[]> {
  const tables = await Promise.all(
    ['-4', '-6'].map((family) => namespaces.run(node, ['ip', family, '-j', '-d', 'route', 'show', 'table', 'all'])),
  );
  return tables
    .flatMap((json) => JSON.parse(json) as readonly RouteJson[])
    .map(({ dst, protocol, encap, segs }) => ({
      prefix: dst,
      protocol,
      encap: encap ?? null,
      segmentList: segs ?? [],
    }));
}
