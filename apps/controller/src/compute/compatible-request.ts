import { maxDisjointPaths } from '@waymark/http-contract';
import type { PathRequest } from '@waymark/topology';
import { Problem } from '../model/errors.js';

/** Throws Problem request-invalid for what cannot be asked for together. */
export function requireCompatible({ k, disjoint, coRouted, maxLists, constraints, protection }: PathRequest): void {
  const refuse = (field: string, detail: string) => new Problem('request-invalid', { detail, field });
  if (protection !== undefined && coRouted !== undefined) {
    throw refuse(
      '/protection',
      'A co-routed pair has no protection of its own: leave out protection, or leave out coRouted.',
    );
  }
  if (protection?.standby !== undefined) {
    const several = disjoint !== undefined ? 'disjoint' : maxLists !== undefined && maxLists > 1 ? 'maxLists' : null;
    if (several !== null) {
      throw refuse(
        '/protection/standby',
        `A standby is for the paths of one answer by themselves, each of which carries everything: leave out ${several}, or leave out standby.`,
      );
    }
  }
  if (maxLists !== undefined && maxLists > 1) {
    const several = disjoint !== undefined ? 'disjoint' : coRouted !== undefined ? 'coRouted' : 'k';
    if (disjoint !== undefined || coRouted !== undefined || (k !== undefined && k > 1)) {
      throw refuse(
        '/maxLists',
        `A demand is split over the lists of one answer, not over several alternatives or protected pairs: leave out ${several}, or leave out maxLists.`,
      );
    }
    if (constraints.bandwidthBps === undefined) {
      throw refuse(
        '/maxLists',
        'Lists are weighted by what they carry: add constraints.bandwidthBps, or leave out maxLists.',
      );
    }
  }
  if (coRouted !== undefined && (k !== undefined || disjoint !== undefined)) {
    const other = disjoint === undefined ? 'k' : 'disjoint';
    throw refuse(
      `/${other}`,
      `A co-routed pair is always two paths over the same links: leave out ${other}, or leave out coRouted.`,
    );
  }
  if (disjoint !== undefined && k !== undefined && k > maxDisjointPaths) {
    throw refuse('/k', `At most ${maxDisjointPaths} disjoint paths can be asked for.`);
  }
}
