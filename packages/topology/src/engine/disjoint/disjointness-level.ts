import type { Disjointness } from '../../model/path-request.js';

/** A combination of kinds with what each includes made explicit. */
export interface Level {
  readonly link: boolean;
  readonly node: boolean;
  readonly srlg: boolean;
  readonly site: boolean;
}

export function levelOf(kinds: readonly Disjointness[]): Level {
  const site = kinds.includes('site');
  return {
    link: kinds.length > 0,
    node: site || kinds.includes('node'),
    srlg: kinds.includes('srlg'),
    site,
  };
}

/** The shortest list of kinds that means the level. */
export function kindsOf(level: Level): Disjointness[] {
  const kinds: Disjointness[] = level.site ? ['site'] : level.node ? ['node'] : [];
  if (level.srlg) kinds.push('srlg');
  return kinds.length === 0 && level.link ? ['link'] : kinds;
}

/** The level itself and what a relaxed request falls back to, the strongest first. */
export function relaxations(level: Level): Level[] {
  const levels = [level];
  let last = level;
  const weaken = (change: Partial<Level>): void => {
    last = { ...last, ...change };
    levels.push(last);
  };
  if (last.site) weaken({ site: false });
  if (last.srlg) weaken({ srlg: false });
  if (last.node) weaken({ node: false });
  weaken({ link: false });
  return levels;
}
