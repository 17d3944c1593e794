import { describe, expect, it } from 'vitest';
import { Problem } from '../model/errors.js';
import { readDocument } from './read-document.js';

const nodes = (count: number): string =>
  Array.from({ length: count }, (_, index) => `{"id":"node-${index}","name":"Node number ${index}"}`).join(',\n');
const file = (count: number, more = ''): string => `{"waymark":1,"nodes":[\n${nodes(count)}${more}]}`;

async function problemOf(reading: Promise<unknown>): Promise<Problem> {
  const outcome = await reading.catch((error: unknown) => error);
  if (outcome instanceof Problem) return outcome;
  throw new Error('the file was read');
}

describe('reading a topology file', () => {
  it.each([
    ['short', 5],
    ['long', 5_000],
  ])('gives the document of a %s one', async (_size, count) => {
    const document = await readDocument({ text: file(count), format: 'native' });
    expect(document.nodes.map((node) => node.id)).toEqual(Array.from({ length: count }, (_, index) => `node-${index}`));
  });

  it.each([
    ['short', 5],
    ['long', 5_000],
  ])('names line and field of what is wrong in a %s one', async (_size, count) => {
    const problem = await problemOf(
      readDocument({ text: file(count, ',\n{"id":"x","kid":"host"}'), format: 'native' }),
    );
    expect(problem.code).toBe('topology-invalid');
    expect(problem.info.field).toBe(`/nodes/${count}/kid`);
    expect(problem.message).toContain(`line ${count + 2}, column 11`);
  });

  it('lets the event loop turn meanwhile', async () => {
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    await readDocument({ text: file(20_000), format: 'native' });
    clearInterval(turning);
    expect(turns).toBeGreaterThan(1);
  });

  it('refuses one that would take too much memory, and lives on', async () => {
    const text = `{"waymark":1,"nodes":[${'{},'.repeat(2_000_000)}{}]}`;
    const problem = await problemOf(readDocument({ text, format: 'native' }, 32));
    expect(problem.code).toBe('topology-invalid');
    expect(problem.message).toContain('more than 32 MB of memory');
  });
});
