import { dataPlaneContract } from '../testing/data-plane-contract.js';
import { silentLog } from '../testing/reconciled-agent.js';
import { DryRunDataPlane } from './dry-run.js';

dataPlaneContract({
  name: 'dry-run',
  skip: undefined,
  histories: 100,
  create: () => {
    let writes = 0;
    const dataPlane = new DryRunDataPlane({
      log: silentLog,
      encapMode: 'full',
      msdHEncaps: 14,
      record: () => (writes += 1),
    });
    return Promise.resolve({ open: () => dataPlane, writes: () => writes, close: () => Promise.resolve() });
  },
});
