import { missingNeeds } from '../../../../../test/require-program.js';
import { Diamond } from '../../testing/diamond.js';
import { packetContract } from '../../testing/packet-contract.js';

packetContract({
  name: 'Linux kernel',
  skip: missingNeeds({ programs: ['ip', 'sysctl'], root: true }),
  create: () => Diamond.create(),
});
