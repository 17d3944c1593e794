import { inPrefix } from '../address.js';
import { dropSidOf } from './drop-sid.js';
import type { VppSettings } from './settings.js';

/** VPP marks nothing with an owner: what is ours is told by its address. */
export interface Ownership {
  readonly settings: VppSettings;
  ownsBsid(bsid: string): boolean;
  ownsLocalSid(sid: string): boolean;
  readonly dropSid: string;
}

export function ownershipOf(settings: VppSettings): Ownership {
  const { bsidBlock, localSidBlock, besideCalico } = settings;
  const wanted = new Set(settings.localSids.map(({ sid }) => sid));
  const inLocalSidBlock = localSidBlock === null ? () => false : inPrefix(localSidBlock);
  return {
    settings,
    ownsBsid: inPrefix(bsidBlock),
    // Calico's agent announces every local SID it finds as its own node's.
    ownsLocalSid: besideCalico ? () => false : (sid) => wanted.has(sid) || inLocalSidBlock(sid),
    dropSid: dropSidOf(bsidBlock),
  };
}
