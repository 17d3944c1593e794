import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog } from './log.js';

describe('the log', () => {
  it('shows no credentials, however deep within what is logged', () => {
    let text = '';
    const sink = new Writable({
      write(line: Buffer, _encoding, done) {
        text += line.toString();
        done();
      },
    });
    const log = createLog('trace', sink);
    const headers = { authorization: 'Bearer hidden', cookie: 'hidden', host: 'shown' };
    log.info({ headers, token: 'hidden' }, 'a request');
    log.child({ node: 'shown' }).warn({ req: { headers }, key: { secret: 'hidden' } }, 'deeper');
    log.error({ err: Object.assign(new Error('shown'), { response: { request: { headers } }, password: 'hidden' }) });
    expect(text).not.toContain('hidden');
    expect(text.match(/shown/g)?.length).toBeGreaterThan(4);
  });
});
