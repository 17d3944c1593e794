import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { testApp } from '../testing/test-app.js';
import type { ApiApp } from './type-provider.js';

let app: ApiApp | undefined;
afterEach(() => app?.close());

/** The answer to these header lines, as they go over the wire. */
async function get(...lines: readonly string[]): Promise<string> {
  app = (await testApp()).app;
  await app.listen({ port: 0, host: '127.0.0.1' });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.write(['GET /healthz HTTP/1.1', ...lines, 'Connection: close', '', ''].join('\r\n'));
  await once(socket, 'close');
  return answer;
}

describe('a header that says who asks, or whom', () => {
  it.each([
    ['authorization', ['Host: a', 'Authorization: Bearer one', 'authorization: Bearer two']],
    ['host', ['Host: a', 'Authorization: Bearer one', 'Host: b']],
  ])('is refused when it comes twice: %s', async (field, lines) => {
    const answer = await get(...lines);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain(`"detail":"the header ${field} comes more than once"`);
    expect(answer).toContain(`"field":"${field}"`);
  });

  it('is taken once, beside others that may come often', async () => {
    expect(await get('Host: a', 'Authorization: Bearer one', 'Accept: */*', 'Accept: */*')).toMatch(/^HTTP\/1\.1 200 /);
  });
});
