import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeAdminKey, type AdminKey } from '../../apps/controller/src/testing/admin-key.js';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { Clock } from '../chaos/devices/clock.js';
import { missingNeeds } from '../require-program.js';
import { startSystem, type StartedSystem } from '../started-system.js';

const missing = missingNeeds({ programs: ['faketime', 'setpriv'] });
const HOUR = 3600;
const POLICY = {
  headend: 'dc-amsterdam',
  color: 7,
  endpoint: 'dc-madrid',
  fallback: 'drop',
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } }],
};

const title = `a controller whose clock is wrong${missing === undefined ? '' : ` (skipped: ${missing})`}`;

describe.skipIf(missing !== undefined)(title, { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let folder: string;
  let key: AdminKey;
  let clock: Clock;
  let system: StartedSystem;
  const sequences = new Map<string, number>();

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'waymark-clock-'));
    key = writeAdminKey(folder);
    clock = new Clock(join(folder, 'clock'));
    clock.set(HOUR);
    system = await startSystem({
      DATABASE_URL: database.url,
      WAYMARK_DEMO: 'topology',
      WAYMARK_HOLD_MS: '2000',
      ...key.settings,
      ...clock.environment,
    });
  }, 150_000);

  afterAll(async () => {
    await system.stop();
    await database.drop();
    await rm(folder, { recursive: true });
  }, 60_000);

  async function request<Body>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Body> {
    const response = await fetch(system.url + path, {
      method,
      headers: { ...key.headers, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Body;
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async function say(source: string, links: readonly string[], state: 'up' | 'down', full = false): Promise<string> {
    const sequence = (sequences.get(source) ?? 0) + 1;
    sequences.set(source, sequence);
    const events = links.map((link) => ({ kind: 'link-state', link, state }));
    return (await request<{ outcome: string }>('POST', `/v1/sources/${source}/events`, { sequence, full, events }))
      .outcome;
  }

  async function links(): Promise<readonly string[]> {
    return (
      await request<{ items: readonly { effective: { id: string } }[] }>('GET', '/v1/links?limit=1000')
    ).items.map(({ effective }) => effective.id);
  }

  it('lets a link that returned be used after its hold time, though the clock is set back meanwhile', async () => {
    interface View {
      readonly state: { readonly lists: readonly { readonly links: readonly string[] }[] } | null;
    }
    const path = async () =>
      (await request<View>('GET', '/v1/sr-policies/dc-amsterdam:7:dc-madrid')).state?.lists[0]?.links;
    await request('POST', '/v1/sr-policies', POLICY);
    await eventually(async () => expect(await path()).toContain('NL:UK'));
    await say('probe', ['NL:UK'], 'down');
    await eventually(async () => expect(await path()).not.toContain('NL:UK'));
    await say('probe', ['NL:UK'], 'up');
    await eventually(async () => {
      const held = await database.db
        .selectFrom('link_hold')
        .select('link_id')
        .where('held_until', 'is not', null)
        .execute();
      expect(held.map(({ link_id }) => link_id)).toContain('NL:UK');
    });
    clock.set(-HOUR);
    await eventually(async () => expect(await path()).toContain('NL:UK'));
  });

  it('does not believe a source that loses most of the network in two steps', async () => {
    clock.set(HOUR);
    const all = await links();
    expect(all.length).toBeGreaterThan(100);
    const third = Math.ceil(all.length / 3);
    expect(await say('igp', all, 'up', true)).toBe('applied');
    expect(await say('igp', all.slice(0, third), 'down')).toBe('applied');
    expect(await say('igp', all.slice(third, 2 * third), 'down')).toBe('held');
  });

  it('believes a key that was rotated for as long as it says', async () => {
    clock.set(HOUR);
    interface Issued {
      readonly secret: string;
    }
    const { secret } = await request<Issued>('POST', '/v1/api-keys', { name: 'monitoring', role: 'viewer' });
    await request<Issued>('POST', '/v1/api-keys/monitoring/rotate', { graceSeconds: HOUR / 2 });
    const old = await fetch(`${system.url}/v1/nodes`, { headers: { authorization: `Bearer ${secret}` } });
    expect(old.status).toBe(200);
  });
});
