import { missingNeeds } from '../../../../../test/require-program.js';
import { classContract } from '../../testing/class-contract.js';
import { dataPlaneContract, type ContractSubject } from '../../testing/data-plane-contract.js';
import { realVppSocket, VppHarness } from '../../testing/vpp-harness.js';

const subject: ContractSubject = {
  name: realVppSocket === undefined ? 'VPP (stand-in)' : 'VPP (real)',
  skip: undefined,
  histories: 25,
  create: () => VppHarness.create(),
};
dataPlaneContract(subject);
classContract(subject);

dataPlaneContract({
  name: `VPP with an interface for probes (${realVppSocket === undefined ? 'stand-in' : 'real'})`,
  skip: missingNeeds({ programs: ['ip'], root: true }),
  histories: 5,
  create: () => VppHarness.withProbes(),
});
