/** What led to a change of a policy, as operators would tell each other. */
export interface PolicyEvent {
  /** As in the change log; `hold-over`, `bandwidth-released`, `resumed`: from the controller itself. */
  readonly kind: string;
  readonly revision: number;
  /** Who brought it about: `operator alice`, `source igp`, … */
  readonly by: string;
  /** When it was committed. */
  readonly at: Date;
  /** `link a:b went down` */
  readonly summary: string;
}

const MAX_LENGTH = 4_000;

/** The event and what followed from it, in one sentence. */
export function causeOf({ summary, by, revision }: PolicyEvent, reason: string): string {
  return clipped(`${summary} (${by}, revision ${revision}): ${reason}`);
}

function clipped(text: string): string {
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1)}…`;
}

/** Events that came together: the oldest is named, since the traffic has been waiting from then on. */
export function together(events: readonly [PolicyEvent, ...PolicyEvent[]]): PolicyEvent {
  const oldest = events.reduce((first, event) => (event.revision < first.revision ? event : first));
  const others = events.length - 1;
  if (others === 0) return oldest;
  return { ...oldest, summary: `${oldest.summary}, with ${others === 1 ? 'another change' : 'other changes'}` };
}

/** Who made an entry of the change log. `sources`: whose statements it changed. */
export function authorOf(entry: { readonly kind: string; readonly actor: string }, sources: readonly string[]): string {
  const operator = entry.actor === 'anonymous' ? 'an anonymous operator' : `operator ${entry.actor}`;
  const named = sources.length === 0 ? 'a source' : `source ${sources.join(', ')}`;
  switch (entry.kind) {
    case 'source-events':
      return named;
    case 'source-released':
      return `${named}, released by ${operator}`;
    case 'topology-import':
      return `import of ${named} by ${operator}`;
    case 'agent-capabilities':
      return entry.actor.replace('agent:', 'the agent of ');
    case 'mesh-members':
      return 'Waymark';
    default:
      return operator;
  }
}
