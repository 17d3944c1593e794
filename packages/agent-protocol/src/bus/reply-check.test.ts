import { describe, expect, it } from 'vitest';
import { ReplyCheck, type ConnectionRole } from './reply-check.js';

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const message = `*3\r\n${bulk('message')}${bulk('a')}${bulk('*3\r\n$7\r\nnot a reply\r\n')}`;
const confirmed = `*3\r\n${bulk('subscribe')}${bulk('a')}:1\r\n`;

/** What is wrong with bytes that come in pieces of so many. */
function checked(role: ConnectionRole, text: string, size: number): string | undefined {
  const check = new ReplyCheck(role);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) {
    const wrong = check.take(bytes.subarray(at, at + size));
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

describe.each([1, 2, 7, 10_000])('what Redis says, in pieces of %i bytes', (size) => {
  it.each<[ConnectionRole, string]>([
    ['subscriber', `+OK\r\n${confirmed}${message}${message}${confirmed.replace('$9\r\nsub', '$11\r\nunsub')}`],
    ['subscriber', '-NOAUTH Authentication required.\r\n'],
    ['publisher', '+OK\r\n:0\r\n:12\r\n-NOPERM no\r\n:1\r\n'],
  ])('is taken by a %s: %j', (role, text) => {
    expect(checked(role, text, size)).toBeUndefined();
  });

  it.each<[ConnectionRole, string]>([
    ['subscriber', ':1\r\n'],
    ['subscriber', '+O\r\n'],
    ['subscriber', '$-1\r\n'],
    ['subscriber', '*3\r\n$9\r\nsubscribe\r\n$-1\r\n:0\r\n'],
    ['subscriber', `*2\r\n${bulk('message')}${bulk('a')}`],
    ['subscriber', `*3\r\n${bulk('pmessage')}${bulk('a')}${bulk('b')}`],
    ['subscriber', `*3\r\n${bulk('x'.repeat(21))}`],
    ['subscriber', '*3\r\n*3\r\n'],
    ['subscriber', 'HTTP/1.1 400 Bad Request\r\n'],
    ['subscriber', `+${'x'.repeat(70_000)}`],
    ['publisher', confirmed],
    ['publisher', '$5\r\nhello\r\n'],
    ['publisher', ':1\n'],
    ['publisher', ':one\r\n'],
    ['publisher', '\u0000\u0001\u0002\n'],
  ])('is not taken by a %s: %j', (role, text) => {
    expect(checked(role, text, size)).toEqual(expect.any(String));
  });
});
