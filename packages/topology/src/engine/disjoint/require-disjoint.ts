import type { Shared } from '../../model/path-answer.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { Level } from './disjointness-level.js';
import type { GroupMember } from './group-member.js';
import { Risks } from './risks.js';

/**
 * Nothing is published as disjoint that its proofs do not show to be: throws when paths share more than what two members
 * bring with them.
 */
export function requireDisjoint(...found: Parameters<typeof isDisjoint>): void {
  if (isDisjoint(...found)) return;
  throw new Error('paths that were found as disjoint share more than their ends: the search is wrong');
}

/** Is what paths share, by their proofs, no more at a level than what two members bring with them? */
export function isDisjoint(
  snapshot: Snapshot,
  level: Level,
  members: readonly Pick<GroupMember, 'shareable'>[],
  shared: Shared,
): boolean {
  const risks = Risks.of(snapshot);
  const mayBe = { link: new Set<string>(), node: new Set<string>(), srlg: new Set<string>(), site: new Set<string>() };
  for (const risk of members.flatMap((member) => [...member.shareable])) {
    mayBe[risks.kindOf(risk)].add(risks.nameOf(risk));
  }
  const isEitherWay = (link: string) => {
    const reverse = snapshot.reverseOf(snapshot.arcOf(link));
    return mayBe.link.has(link) || (reverse >= 0 && mayBe.link.has(snapshot.linkIdOf(reverse)));
  };
  return (
    (!level.link || shared.links.every(isEitherWay)) &&
    (!level.node || shared.nodes.every((node) => mayBe.node.has(node))) &&
    (!level.srlg || shared.srlgs.every((group) => mayBe.srlg.has(String(group)))) &&
    (!level.site || shared.sites.every((site) => mayBe.site.has(site)))
  );
}
