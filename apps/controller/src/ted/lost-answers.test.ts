import type { KyselyPlugin } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OutcomeUnknown } from '../model/outage.js';
import { REVISION_CHANNEL } from '../storage/revision.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { TedService } from './ted-service.js';

const actor = { name: 'tester' };
const topology = `waymark: 1
nodes:
  - { id: a, kind: router }
  - { id: b, kind: router }
links:
  - { between: [ a, b ], igpMetric: 10 }
`;

/** A database that goes away once a change has been announced: nothing but its commit comes through after that. */
class GoesAwayAfterCommit implements KyselyPlugin {
  isArmed = false;
  #isAway = false;

  transformQuery({ node }: Parameters<KyselyPlugin['transformQuery']>[0]) {
    if (this.#isAway) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    this.#isAway = this.isArmed && JSON.stringify(node).includes(`"${REVISION_CHANNEL}"`);
    return node;
  }

  transformResult({ result }: Parameters<KyselyPlugin['transformResult']>[0]) {
    return Promise.resolve(result);
  }

  comesBack(): void {
    this.isArmed = false;
    this.#isAway = false;
  }
}

describe('a change whose answer is lost after the commit', () => {
  const outage = new GoesAwayAfterCommit();
  let database: TestDatabase;
  let service: TedService;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = new TedService({ db: database.db.withPlugin(outage), url: database.url, clock: () => new Date() });
    await service.start();
    await service.importTopology({ text: topology, format: 'native', source: 'lab', actor });
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  it('is not taken for one that was not made', { timeout: 90_000 }, async () => {
    const changes = [{ link: 'a:b', constraints: { delayUs: 7 } }];
    outage.isArmed = true;
    const answer = await service.setLinkConstraints({ changes, mode: 'patch', actor }).catch((error: unknown) => error);
    outage.comesBack();
    expect(answer).toBeInstanceOf(OutcomeUnknown);
    // Its readers learn of it by its announcement.
    await vi.waitFor(
      async () => expect(await service.linkConstraints('a:b')).toMatchObject({ constraints: { delayUs: 7 } }),
      60_000,
    );
  });
});
