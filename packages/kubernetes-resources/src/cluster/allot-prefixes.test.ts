import { parsePrefix, prefixContains } from '@waymark/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allotPrefixes, type PrefixClaim } from './allot-prefixes.js';

const claim = (cluster: string, host: string, ...prefixes: string[]): PrefixClaim => ({ cluster, host, prefixes });
const none = new Map<string, readonly string[]>();

describe('allotPrefixes', () => {
  it('lets hosts of a cluster hold nested prefixes, as borrowed addresses are', () => {
    const { granted, refused } = allotPrefixes(
      [claim('fr', 'a', '10.0.0.0/26'), claim('fr', 'b', '10.0.0.3/32', '10.0.0.64/26')],
      none,
    );
    expect(refused).toEqual([]);
    expect([...granted]).toEqual([
      ['a', ['10.0.0.0/26']],
      ['b', ['10.0.0.3/32', '10.0.0.64/26']],
    ]);
  });

  it('refuses what overlaps the prefixes of another cluster, and says whose', () => {
    const { granted, refused } = allotPrefixes(
      [
        claim('fr', 'a', '10.0.0.0/24'),
        claim('it', 'b', '10.0.0.128/25', '10.1.0.0/24'),
        claim('uk', 'c', '10.0.0.0/8'),
      ],
      none,
    );
    expect(granted.get('b')).toEqual(['10.1.0.0/24']);
    expect(granted.get('c')).toEqual([]);
    expect(refused).toEqual([
      {
        cluster: 'it',
        host: 'b',
        prefix: '10.0.0.128/25',
        holder: { cluster: 'fr', host: 'a', prefix: '10.0.0.0/24' },
      },
      {
        cluster: 'uk',
        host: 'c',
        prefix: '10.0.0.0/8',
        holder: { cluster: 'fr', host: 'a', prefix: '10.0.0.0/24' },
      },
    ]);
  });

  it('leaves a prefix with the host that had it until that one lets go', () => {
    const before = new Map([['b', ['10.0.0.0/26']]]);
    const both = [claim('fr', 'a', '10.0.0.0/26'), claim('fr', 'b', '10.0.0.0/26')];
    expect(allotPrefixes(both, before).granted.get('b')).toEqual(['10.0.0.0/26']);
    expect(allotPrefixes(both, none).granted.get('a')).toEqual(['10.0.0.0/26']);
    expect(allotPrefixes([claim('fr', 'a', '10.0.0.0/26'), claim('fr', 'b')], before).granted.get('a')).toEqual([
      '10.0.0.0/26',
    ]);
  });

  it('leaves a prefix with the cluster that had it', () => {
    const claims = [claim('fr', 'a', '10.0.0.0/8'), claim('it', 'b', '10.0.0.0/26')];
    expect(allotPrefixes(claims, new Map([['b', ['10.0.0.0/26']]])).refused).toMatchObject([{ host: 'a' }]);
  });

  it('grants and refuses all that is claimed, as a comparison of every pair would', () => {
    const prefix = fc.tuple(fc.integer({ min: 24, max: 32 }), fc.nat({ max: 255 })).map(([length, last]) => {
      const network = length === 32 ? last : last & (0xff << (32 - length));
      return `10.0.0.${network}/${length}`;
    });
    const cluster = fc.constantFrom('fr', 'it', 'uk');
    const claims = fc.array(fc.record({ cluster, prefixes: fc.uniqueArray(prefix, { maxLength: 3 }) }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(claims, fc.array(fc.tuple(fc.nat({ max: 5 }), prefix)), (made, held) => {
        const hosts = made.map((one, i): PrefixClaim => ({ ...one, host: `h${i}` }));
        const before = new Map(held.map(([host, text]) => [`h${host}`, [text]]));
        const { granted, refused } = allotPrefixes(hosts, before);
        const conflict = (one: string, other: string, sameCluster: boolean): boolean => {
          const [a, b] = [parsePrefix(one), parsePrefix(other)];
          return sameCluster ? one === other : prefixContains(a, b) || prefixContains(b, a);
        };
        const clusterOf = new Map(hosts.map(({ host, cluster: of }) => [host, of]));
        const all = [...granted].flatMap(([host, texts]) => texts.map((text) => ({ host, text })));
        for (const [i, one] of all.entries()) {
          for (const other of all.slice(i + 1)) {
            const same = clusterOf.get(one.host) === clusterOf.get(other.host);
            expect(one.host !== other.host && conflict(one.text, other.text, same)).toBe(false);
          }
        }
        for (const { cluster: of, prefix: text, holder } of refused) {
          expect(granted.get(holder.host)).toContain(holder.prefix);
          expect(conflict(text, holder.prefix, of === holder.cluster)).toBe(true);
        }
        expect(all.length + refused.length).toBe(hosts.flatMap(({ prefixes }) => prefixes).length);
      }),
      { numRuns: 2_000 },
    );
  });
});
