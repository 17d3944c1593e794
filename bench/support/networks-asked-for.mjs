import { randomGeometric, waxman } from './networks.mjs';
import { realNetworks } from './real-networks.mjs';
import { tedOf } from './ted-of.mjs';

/**
 * Networks that a command line asks for, one by one: `real`, or numbers of nodes, for which a random geometric (rgg) and a Waxman (wax)
 * network is made, without SIDs. By default the real ones and 1,000, 10,000 and 100,000 nodes.
 */
export function* networksAskedFor(names) {
  for (const name of names.length > 0 ? names : ['real', '1000', '10000', '100000']) {
    if (name === 'real') {
      yield* realNetworks();
      continue;
    }
    const size = Number(name);
    yield { name: `rgg ${size.toLocaleString('en')}`, ted: tedOf(randomGeometric(size), false) };
    yield { name: `wax ${size.toLocaleString('en')}`, ted: tedOf(waxman(size), false) };
  }
}
