import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForeignVpp } from '../../testing/foreign-vpp.js';
import { TEST_SETTINGS, TEST_TABLE, VppHarness } from '../../testing/vpp-harness.js';
import { dropSidOf } from './drop-sid.js';
import { isDropped } from './routes.js';

const BLOCKS = ['fc00::/16', 'fdff::/16'];
const DROP_SID = `${dropSidOf(TEST_SETTINGS.bsidBlock)}/128`;

describe('the blocks that pods must not send to', () => {
  let harness: VppHarness;

  beforeEach(async () => {
    harness = await VppHarness.create({ edgeBlocks: BLOCKS });
  });
  afterEach(() => harness.close());

  /** Of each block in the table of the pods, and of the SID that drops in that of SIDs. */
  const dropped = (): Promise<boolean[]> =>
    harness.using((vpp) =>
      Promise.all([...BLOCKS.map((block) => isDropped(vpp, block, TEST_TABLE)), isDropped(vpp, DROP_SID, 0)]),
    );

  it('are dropped once prepared, and nothing is written the second time', async () => {
    expect(await dropped()).toEqual([false, false, false]);
    const dataPlane = harness.open();
    await dataPlane.prepare();
    expect(await dropped()).toEqual([true, true, true]);
    const writes = harness.writes();
    await dataPlane.prepare();
    await harness.open().prepare();
    expect(harness.writes()).toBe(writes);
  });

  it('are dropped again after someone took a route away or changed one', async () => {
    const dataPlane = harness.open();
    await dataPlane.prepare();
    await harness.using(async (vpp) => {
      const foreign = new ForeignVpp(vpp);
      await foreign.route(TEST_TABLE, 'fc00::/16', 'nowhere');
      await foreign.route(TEST_TABLE, 'fdff::/16', { table: 0 });
      await foreign.route(0, DROP_SID, 'nowhere');
    });
    expect(await dropped()).toEqual([false, false, false]);
    await dataPlane.prepare();
    expect(await dropped()).toEqual([true, true, true]);
  });

  it('are reachable as before once dismantled', async () => {
    const dataPlane = harness.open();
    await dataPlane.prepare();
    await dataPlane.dismantle();
    expect(await dropped()).toEqual([false, false, false]);
    const writes = harness.writes();
    await dataPlane.dismantle();
    expect(harness.writes()).toBe(writes);
  });
});
