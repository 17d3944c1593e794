import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policyBody } from '../../../apps/node-agent/src/testing/policies.js';
import type { DesiredWritten } from './observer.js';
import { tunnelsIn } from './plane.js';
import { publishedOf, Trace } from './trace.js';

const id = 'h1:1:h2';

describe('the trace of a data plane', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waymark-trace-'));
    path = join(folder, 'trace.jsonl');
  });

  afterEach(() => rm(folder, { recursive: true }));

  /** The policy with lists of its generation. */
  function published(generation: number): DesiredWritten {
    const lists = [[1, `fd00::${String(generation)}`]] as const;
    const body = Buffer.from(policyBody({ id, ipv6: { lists, prefixes: ['fd01::/64'] } }));
    return { step: generation, headend: 'h1', policy_id: id, generation, deleted: false, body };
  }

  async function install({ body }: DesiredWritten): Promise<void> {
    for (const tunnel of tunnelsIn(id, body)) {
      const step = { kind: 'put-tunnel', policyId: id, tunnel, steer: tunnel.steeredPrefixes };
      await appendFile(path, `${JSON.stringify(step)}\n`);
    }
  }

  it('is right when each step is for what was published', async () => {
    await install(published(1));
    expect(await new Trace(path).follow(() => Promise.resolve(publishedOf([published(1)])))).toEqual([]);
  });

  it('is wrong when a step is for nothing that was published', async () => {
    await install(published(2));
    expect(await new Trace(path).follow(() => Promise.resolve(publishedOf([published(1)])))).toHaveLength(1);
  });

  it('may grow while somebody looks: a step that comes then is for what is published then', async () => {
    const trace = new Trace(path);
    await install(published(1));
    const grows = async () => {
      await install(published(2));
      return publishedOf([published(1)]);
    };
    expect(await trace.follow(grows)).toEqual([]);
    expect(await trace.follow(() => Promise.resolve(publishedOf([published(1), published(2)])))).toEqual([]);
    expect(trace.steps).toBe(2);
  });
});
