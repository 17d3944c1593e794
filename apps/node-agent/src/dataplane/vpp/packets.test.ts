import { missingNeeds } from '../../../../../test/require-program.js';
import { Diamond } from '../../testing/diamond.js';
import { packetContract } from '../../testing/packet-contract.js';
import { realVppSocket } from '../../testing/vpp-harness.js';
import { VppHeadend } from '../../testing/vpp-headend.js';

// There is no stand-in for forwarding: this suite waits for a real VPP, and nothing fails for the want of one.
packetContract({
  name: 'VPP',
  skip:
    realVppSocket === undefined
      ? 'VPP_API_SOCKET names no real VPP'
      : missingNeeds({ programs: ['ip', 'sysctl'], root: true }),
  create: async () => Diamond.around(await VppHeadend.create()),
});
