import { dataPlaneContract } from '../../testing/data-plane-contract.js';
import { realVppSocket, VppHarness } from '../../testing/vpp-harness.js';

dataPlaneContract({
  name: realVppSocket === undefined ? 'VPP (stand-in)' : 'VPP (real)',
  skip: undefined,
  histories: 25,
  create: () => VppHarness.create(),
});
