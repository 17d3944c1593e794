import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig, repositoryRoot, settingNames } from './config.js';

describe('settings of the controller', () => {
  it('are all documented, and nothing else is', () => {
    const page = readFileSync(join(repositoryRoot, 'docs', 'operating.md'), 'utf8');
    const documented = [...page.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map((match) => match[1]);
    expect(new Set(documented)).toEqual(new Set(settingNames));
  });

  it('have defaults that stay on loopback and need nothing set up', () => {
    const config = readConfig({});
    expect([config.httpHost, config.grpcHost]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(config.databaseUrl).toBeUndefined();
    expect(config.demoAgents).toBe(true);
  });

  it('treat an empty variable as unset', () => {
    expect(readConfig({ REDIS_URL: '', WAYMARK_HTTP_PORT: '' })).toEqual({ ...readConfig({}) });
  });

  it('load no demo into a database of the operator unless asked', () => {
    const databaseUrl = 'postgres://db/waymark';
    expect(readConfig({ DATABASE_URL: databaseUrl }).demoTopology).toBeUndefined();
    const asked = readConfig({ DATABASE_URL: databaseUrl, WAYMARK_DEMO: 'topology' });
    expect(asked.demoTopology).toContain('geant');
    expect(asked.demoAgents).toBe(false);
  });

  it.each([
    ['WAYMARK_HTTP_PORT', '70000'],
    ['WAYMARK_HTTP_PORT', 'http'],
    ['DATABASE_URL', 'mysql://db'],
    ['WAYMARK_DEMO', 'yes'],
    ['WAYMARK_LOG_LEVEL', 'loud'],
  ])('refuse %s=%s and name the variable', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(name);
  });
});
