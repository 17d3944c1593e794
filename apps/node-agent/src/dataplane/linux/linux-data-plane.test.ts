import { missingNeeds } from '../../../../../test/require-program.js';
import { classContract } from '../../testing/class-contract.js';
import { dataPlaneContract, type ContractSubject } from '../../testing/data-plane-contract.js';
import { countingShell, NetworkNamespace } from '../../testing/network-namespace.js';
import { LinuxDataPlane } from './linux-data-plane.js';
import { LINUX_DEFAULTS } from './settings.js';

const skip = missingNeeds({ programs: ['ip', 'sysctl'], root: true });

for (const encapMode of ['full', 'reduced'] as const) {
  const subject: ContractSubject = {
    name: `Linux kernel (${encapMode} encapsulation)`,
    skip,
    histories: 8,
    create: async () => {
      const namespace = await NetworkNamespace.create();
      const { shell, writes } = countingShell(namespace.shell);
      const settings = {
        ...LINUX_DEFAULTS,
        encapMode,
        manageSysctls: true,
        ownsLocalSids: true,
        encapSource: 'fd00::1',
        probePrefix: 'fc00:77::/96',
      };
      return { open: () => new LinuxDataPlane(settings, shell), writes, close: () => namespace.remove() };
    },
  };
  dataPlaneContract(subject);
  classContract(subject);
}
