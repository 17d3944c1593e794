import { describeBusContract } from '../testing/bus-contract.js';
import { MemoryBus } from './memory-bus.js';

describeBusContract('in memory', () => {
  const bus = new MemoryBus();
  return Promise.resolve({ create: () => bus, stop: () => bus.close() });
});
