import type { VppStandIn } from '@waymark/vpp-stand-in';
import { VppLink, type Vpp } from '../dataplane/vpp/vpp-link.js';
import { ipPacket } from './ip-packet.js';

/** The first SID of a packet that comes in by an interface, or what else becomes of it. @param headers of IPv6, by their numbers */
export function wayThrough(
  standIn: VppStandIn,
  source: string,
  destination: string,
  from: string,
  headers?: readonly number[],
): string {
  const fate = standIn.enter(from, ipPacket(source, destination, headers));
  if (fate.kind === 'policy') return fate.lists.map(({ segments }) => segments[0] ?? '').join();
  return fate.kind === 'route' ? fate.nextHops.join() : fate.kind === 'drop' ? fate.reason : fate.kind;
}

/** Looks at VPP after each answer to the agent. */
export class WatchedLink extends VppLink {
  readonly #look: (request: string) => void;
  #watched: Vpp | undefined;

  constructor({ socketPath }: VppStandIn, look: (request: string) => void) {
    super(socketPath);
    this.#look = look;
  }

  override async open(): Promise<Vpp> {
    return (this.#watched ??= this.#watch(await super.open()));
  }

  #watch(vpp: Vpp): Vpp {
    return {
      call: async (request, values, options) => {
        const reply = await vpp.call(request, values, options);
        this.#look(request);
        return reply;
      },
      dump: async (request, values, options) => {
        const details = await vpp.dump(request, values, options);
        this.#look(request);
        return details;
      },
    };
  }
}
