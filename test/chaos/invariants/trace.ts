import { readFile } from 'node:fs/promises';
import type { Step, Tunnel } from '../../../apps/node-agent/src/dataplane/port.js';
import { isSame, Plane, prefixText, tunnelsIn } from './plane.js';
import type { DesiredWritten } from './observer.js';

/** What a headend should have held in each generation that was ever published. */
export interface Published {
  readonly generation: number;
  readonly policies: ReadonlyMap<string, DesiredWritten>;
}

/** @param written of one headend, by generation */
export function publishedOf(written: readonly DesiredWritten[]): readonly Published[] {
  const states: { generation: number; policies: Map<string, DesiredWritten> }[] = [
    { generation: 0, policies: new Map() },
  ];
  for (const row of written) {
    let newest = states.at(-1);
    if (newest === undefined || newest.generation !== row.generation) {
      newest = { generation: row.generation, policies: new Map(newest?.policies) };
      states.push(newest);
    }
    if (row.deleted) newest.policies.delete(row.policy_id);
    else newest.policies.set(row.policy_id, row);
  }
  return states;
}

/**
 * Follows the steps of one life of an agent, and says which of them break what is wanted. Which generation an agent was at
 * is not in its trace; but it only grows, so each step must be right for some generation not before that of the step before.
 */
export class Trace {
  readonly plane = new Plane();
  steps = 0;
  readonly #path: string;
  /** What is read; the rest may be half a line. */
  #characters = 0;
  /** Position in the published states. */
  #at = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Goes on with what was written since, and returns what it breaks. What was published is asked for when the steps are read:
   * a step is taken after what it is for was published.
   */
  async follow(publishedByNow: () => Promise<readonly Published[]>): Promise<readonly string[]> {
    const text = await readFile(this.#path, 'utf8').catch((error: unknown) => {
      // Nothing was to be done in this life.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    });
    const end = text.lastIndexOf('\n') + 1;
    const lines = text.slice(this.#characters, end).split('\n').filter(Boolean);
    this.#characters = end;
    const published = await publishedByNow();
    const broken: string[] = [];
    for (const line of lines) {
      const step = JSON.parse(line) as Step;
      const why = this.#objection(step, published);
      if (why !== undefined) broken.push(`step ${this.steps} of ${this.#path}: ${why}`);
      this.plane.do(step);
      this.steps += 1;
      broken.push(...this.#dangling());
    }
    return broken;
  }

  #objection(step: Step, published: readonly Published[]): string | undefined {
    switch (step.kind) {
      case 'put-tunnel': {
        const { policyId, tunnel } = step;
        const isWanted = this.#advance(published, ({ policies }) =>
          wanted(policies, policyId).some(
            ({ family, action }) => family === tunnel.family && isSame(action, tunnel.action),
          ),
        );
        return isWanted ? undefined : `${policyId} gets lists that were not published for it, or no longer`;
      }
      case 'unsteer': {
        const prefix = prefixText(step);
        const isFree = this.#advance(published, ({ policies }) => !steered(policies).has(prefix));
        return isFree ? undefined : `${prefix} is no longer steered, which it was to be all the time`;
      }
      case 'remove-tunnel': {
        const isFree = this.#advance(published, ({ policies }) =>
          pairs(policies).every(
            (pair) =>
              !pair.includes(step.bsid) || pair.some((bsid) => bsid !== step.bsid && this.plane.tunnels.has(bsid)),
          ),
        );
        return isFree ? undefined : `the tunnel with BSID ${step.bsid} goes, and no other has taken its place`;
      }
      default:
        return undefined;
    }
  }

  /** Moves on to the first generation in which this holds; false, and stays, when there is none. */
  #advance(published: readonly Published[], holds: (state: Published) => boolean): boolean {
    const found = published.findIndex((state, index) => index >= this.#at && holds(state));
    if (found < 0) return false;
    this.#at = found;
    return true;
  }

  *#dangling(): Generator<string> {
    for (const [prefix, bsid] of this.plane.steering) {
      if (!this.plane.tunnels.has(bsid)) yield `${prefix} is steered into ${bsid}, which is not there`;
    }
  }
}

function wanted(policies: Published['policies'], policyId: string): readonly Tunnel[] {
  const row = policies.get(policyId);
  return row === undefined ? [] : tunnelsOfRow(row);
}

const all = remembered((policies: Published['policies']) => [...policies.values()].flatMap(tunnelsOfRow));

const steered = remembered(
  (policies: Published['policies']): ReadonlySet<string> =>
    new Set(all(policies).flatMap(({ steeredPrefixes }) => steeredPrefixes.map(prefixText))),
);

const pairs = remembered((policies: Published['policies']): readonly (readonly string[])[] =>
  all(policies).map(({ bsid, alternateBsid }) => [bsid, alternateBsid]),
);

const decoded = remembered(({ policy_id, body }: DesiredWritten) => tunnelsIn(policy_id, body));

function tunnelsOfRow(row: DesiredWritten): readonly Tunnel[] {
  return decoded(row);
}

/** Computes it once for each object: the same generations are gone through for every step. */
function remembered<Key extends object, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const values = new WeakMap<Key, Value>();
  return (key) => {
    const known = values.get(key);
    if (known !== undefined) return known;
    const value = compute(key);
    values.set(key, value);
    return value;
  };
}
