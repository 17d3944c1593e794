import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import document from '../../openapi/openapi.json' with { type: 'json' };
import { OpenApiDocument, type Operation } from '../contract/openapi-document.js';
import { missingNeeds } from '../require-program.js';
import { startSystem, type StartedSystem } from '../started-system.js';

/* Swagger UI as a newcomer meets it: a real browser on a system that was really started. */

const missing = missingNeeds({ programs: ['chromium'] });
const contract = new OpenApiDocument(document);
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe.skipIf(missing !== undefined)(`Swagger UI in a browser ${missing ?? ''}`, () => {
  let system: StartedSystem;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const requested: string[] = [];

  beforeAll(async () => {
    system = await startSystem();
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
    page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requested.push(request.url()));
    await page.goto(`${system.url}/docs`);
    await page.locator('.opblock').first().waitFor();
  }, 240_000);

  afterAll(async () => {
    await browser.close();
    await system.stop();
  });

  const blockOf = (operationId: string) => page.locator(`.opblock[id$="-${operationId}"]`);

  /** Opens an operation and presses Execute without changing anything. */
  async function execute(operationId: string): Promise<{ readonly block: Locator; readonly status: number }> {
    const block = blockOf(operationId);
    await block.locator('.opblock-summary').click();
    await block.locator('button.execute').click();
    const status = block.locator('.live-responses-table tbody .response-col_status').first();
    await expect.poll(async () => (await status.innerText()).trim(), { timeout: 60_000 }).toMatch(/^\d{3}/);
    return { block, status: Number.parseInt(await status.innerText()) };
  }

  function operation(id: string): Operation {
    const found = contract.operations.find(({ operationId }) => operationId === id);
    if (found === undefined) throw new Error(`there is no operation ${id}`);
    return found;
  }

  it('lists every operation, with its path and summary, under its tag', async () => {
    await expect.poll(() => page.locator('.opblock').count()).toBe(contract.operations.length);
    for (const { operationId, path } of contract.operations) {
      const shown = await blockOf(operationId).locator('.opblock-summary-path').innerText();
      // long paths carry invisible places to break
      expect(shown.replaceAll('\u200b', ''), operationId).toBe(path);
    }
    const tags = await page.locator('.opblock-tag').allInnerTexts();
    expect(tags.map((text) => text.split('\n')[0])).toEqual(document.tags.map(({ name }) => name));
  }, 240_000);

  it.each([
    ['computePaths', 200],
    ['createPolicy', 201],
    ['listNodes', 200],
  ])(
    'runs the default example of %s',
    async (id, expected) => {
      const { block, status } = await execute(id);
      expect(status).toBe(expected);
      const text = await block.locator('.live-responses-table .highlight-code code').first().innerText();
      const schema = operation(id).responses[String(status)]?.content?.['application/json']?.schema;
      expect(schema).toBeDefined();
      expect(contract.misfit(schema ?? {}, JSON.parse(text))).toBeUndefined();
    },
    240_000,
  );

  it('offers every example of a path computation by name', async () => {
    const block = blockOf('computePaths');
    const offered = await block.locator('.opblock-section-request-body .examples-select option').allInnerTexts();
    const examples = operation('computePaths').requestBody?.content['application/json']?.examples ?? {};
    expect(offered).toEqual(Object.values(examples).map(({ summary }) => summary));
  });

  it('tells how to follow events, by type', async () => {
    const block = blockOf('streamEvents');
    await block.locator('.opblock-summary').click();
    const types = await block.locator('.opblock-description table tbody tr td:first-child').allInnerTexts();
    expect(types.map((text) => text.trim())).toContain('policy.state');
    expect(await block.locator('.responses-table').innerText()).toContain('event: topology.changed');
  }, 240_000);

  it('complains about nothing and asks no other host', () => {
    expect(complaints).toEqual([]);
    expect(requested.length).toBeGreaterThan(5);
    for (const url of requested) expect(url.startsWith(system.url) || url.startsWith('data:'), url).toBe(true);
  });
});
