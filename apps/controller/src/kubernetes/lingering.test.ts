import { describe, expect, it } from 'vitest';
import { Lingering } from './lingering.js';

const of = (...names: string[]) => new Map(names.map((name) => [name, name.toUpperCase()]));

describe('Lingering', () => {
  it('keeps what has gone for the grace period, as it was', () => {
    const lingering = new Lingering<string>(100);
    lingering.update(of('a', 'b'), 0);
    expect(lingering.nextEnd).toBeNull();
    expect([...lingering.update(of('b'), 10)]).toEqual([
      ['b', 'B'],
      ['a', 'A'],
    ]);
    expect(lingering.nextEnd).toBe(110);
    expect([...lingering.update(of('b'), 109).keys()]).toEqual(['b', 'a']);
    expect([...lingering.update(of('b'), 110).keys()]).toEqual(['b']);
    expect(lingering.nextEnd).toBeNull();
  });

  it('begins anew with what came back', () => {
    const lingering = new Lingering<string>(100);
    lingering.update(of('a'), 0);
    lingering.update(of(), 10);
    lingering.update(of('a'), 60);
    lingering.update(of(), 70);
    expect(lingering.nextEnd).toBe(170);
  });

  it('takes for present what was there before', () => {
    const lingering = new Lingering<string>(100, of('a'));
    expect([...lingering.update(of(), 1_000)]).toEqual([['a', 'A']]);
    expect(lingering.update(of(), 1_100).size).toBe(0);
  });
});
