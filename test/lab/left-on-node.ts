import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { LINUX_DEFAULTS } from '@waymark/node-agent';
import { kernelRoutes } from './kernel-routes.js';
import type { Namespaces } from './namespaces.js';

/** What an agent has laid on a node; each is named as its administrator would see it. */
export interface LeftOnNode {
  readonly routes: readonly string[];
  /** Of policy routing, by preference, besides the kernel's own. */
  readonly rules: readonly number[];
  readonly device: boolean;
  readonly edge: boolean;
  readonly folder: boolean;
}

export const NOTHING: LeftOnNode = { routes: [], rules: [], device: false, edge: false, folder: false };

/** local, main and default. */
const KERNEL_RULES = [0, 32766, 32767];

/** Looks in the kernel, whatever the agent says. `folder`: where agents keep what they know. */
export async function leftOnNode(namespaces: Namespaces, node: string, folder: string): Promise<LeftOnNode> {
  const ask = async (...argv: string[]): Promise<unknown> => JSON.parse(await namespaces.run(node, argv));
  const rules = (await Promise.all(
    ['-4', '-6'].map((family) => ask('ip', family, '-j', 'rule', 'show')),
  )) as readonly (readonly { readonly priority: number }[])[];
  const links = (await ask('ip', '-j', 'link', 'show')) as readonly { readonly ifname: string }[];
  const { nftables } = (await ask('nft', '-j', 'list', 'tables')) as {
    readonly nftables: readonly { readonly table?: { readonly name: string } }[];
  };
  const routes = await kernelRoutes(namespaces, node);
  return {
    routes: routes.filter(({ protocol }) => protocol === String(LINUX_DEFAULTS.protocol)).map(({ prefix }) => prefix),
    rules: rules.flat().flatMap(({ priority }) => (KERNEL_RULES.includes(priority) ? [] : [priority])),
    device: links.some(({ ifname }) => ifname === LINUX_DEFAULTS.device),
    edge: nftables.some(({ table }) => table?.name === 'waymark_edge'),
    folder: await access(join(folder, node)).then(
      () => true,
      () => false,
    ),
  };
}
