import { inPrefix } from '../address.js';
import { dropSidOf } from './drop-sid.js';
import { SID_TABLE } from './local-sids.js';
import type { VppSettings } from './settings.js';
import type { VppPolicy } from './vpp-state.js';

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

/** Whether an SR policy is one that we would write; its lists may be any. Otherwise the reason why not. */
export function objectionToForm(policy: VppPolicy, { settings }: Ownership): string | null {
  if (!policy.encapsulates) return 'it inserts instead of encapsulating';
  if (!policy.balances) return 'it does not balance over its lists';
  if (policy.table !== SID_TABLE) return `its binding SID is in table ${policy.table}`;
  if (policy.encapSource !== settings.encapSource) return `its encapsulation source is ${policy.encapSource}`;
  return null;
}
