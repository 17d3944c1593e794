import { randomGeometric, waxman } from './networks.mjs';
import { realNetworks } from './real-networks.mjs';
import { tedOf } from './ted-of.mjs';

/**
 * Networks that a command line asks for, one by one: `real`, or numbers of nodes, for which a random geometric (rgg) and a Waxman (wax)
 * network is made. By default the real ones and 1,000, 10,000 and 100,000 nodes, without SIDs.
 */
export function* networksAskedFor(names, { otherwise = ['real', '1000', '10000', '100000'], hasSids = false } = {}) {
  for (const name of names.length > 0 ? names : otherwise) {
    if (name === 'real') {
      yield* realNetworks(hasSids);
      continue;
    }
    const size = Number(name);
    yield { name: `rgg ${size.toLocaleString('en')}`, ted: tedOf(randomGeometric(size), hasSids) };
    yield { name: `wax ${size.toLocaleString('en')}`, ted: tedOf(waxman(size), hasSids) };
  }
}
