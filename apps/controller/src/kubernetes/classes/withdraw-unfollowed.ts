import type { Logger } from 'pino';
import type { ServiceClassService } from '../../model/service-class.js';
import { WorkLoop } from '../work-loop.js';

export interface Unfollowed {
  readonly classes: Pick<ServiceClassService, 'withdrawOtherClusters'>;
  /** Clusters whose labels are followed: all others have no members. */
  readonly followed: readonly string[];
  readonly log: Logger;
}

/**
 * Withdraws what clusters stated that are followed no more: once in the term of a leader, tried again until it succeeds.
 * Resolves when the signal is given; rejects never.
 */
export async function withdrawUnfollowed(
  { classes, followed, log }: Unfollowed,
  signal: AbortSignal,
  epoch: number,
): Promise<void> {
  const loop = new WorkLoop({
    work: () => classes.withdrawOtherClusters(epoch, followed),
    isReady: () => true,
    onFailure: (_, error) => {
      log.warn({ err: error }, 'service classes of clusters that are not followed could not be withdrawn; tried again');
    },
  });
  const running = loop.run(signal);
  loop.add('members');
  await running;
}
