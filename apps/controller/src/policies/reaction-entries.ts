import { createHash } from 'node:crypto';
import type { JournalEntry } from '../model/journal.js';
import type { Sight } from './observation.js';
import type { Published } from './publication.js';
import type { WrittenDelta } from './reaction-dependencies.js';
import type { EvaluatedChunk } from './reaction-steps.js';

/** The leader's steps as entries of the journal: what they are told, and what of their result is compared. */
export function lookEntry(epoch: number): JournalEntry<Sight> {
  return {
    kind: 'look',
    input: { epoch },
    outputOf: ({ revision, tedRevision, ted }) => ({
      revision,
      tedRevision,
      nodes: ted.nodes.length,
      links: ted.links.length,
      ted: tedDigest(ted),
    }),
  };
}

/** `size`: most policies of the chunk. */
export function evaluateEntry(epoch: number, size: number): JournalEntry<EvaluatedChunk> {
  return {
    kind: 'evaluate',
    input: { epoch, size },
    outputOf: ({ evaluations, isLast }) => ({
      isLast,
      policies: evaluations.map(({ policyId, decision, status }) => `${policyId} ${decision} ${status}`),
      evaluations: digestOf(evaluations),
    }),
  };
}

export function publishEntry<Delta extends WrittenDelta>(epoch: number): JournalEntry<Published<Delta>> {
  return {
    kind: 'publish',
    input: { epoch },
    outputOf: ({ computedThrough, deltas, evaluated, events }) => {
      return { computedThrough, deltas, evaluated: [...evaluated], events };
    },
  };
}

const tedDigests = new WeakMap<object, string>();

/** Once per TED: it takes some time where there are many links. */
function tedDigest(ted: Sight['ted']): string {
  const known = tedDigests.get(ted) ?? digestOf([ted.nodes, ted.links]);
  tedDigests.set(ted, known);
  return known;
}

/** SHA-256, in hex, of plain data. */
function digestOf(data: unknown): string {
  return createHash('sha256').update(JSON.stringify(data)).digest('hex');
}
