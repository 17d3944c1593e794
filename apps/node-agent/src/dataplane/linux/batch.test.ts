import { describe, expect, it } from 'vitest';
import { parseBatchErrors } from './batch.js';

describe('errors of ip -batch', () => {
  it('belong to the lines they name', () => {
    const stderr = [
      'RTNETLINK answers: File exists',
      'Command failed -:3',
      'Error: Nexthop has invalid gateway.',
      'Command failed -:17',
      '',
    ].join('\n');
    const { failures, aborted } = parseBatchErrors(stderr, 1);
    expect([...failures]).toEqual([
      [2, 'File exists'],
      [16, 'Nexthop has invalid gateway.'],
    ]);
    expect(aborted).toBeNull();
  });

  it('tell when iproute2 ended before the last line', () => {
    const stderr =
      'RTNETLINK answers: File exists\nCommand failed -:1\nError: inet6 address is expected rather than "zz".\n';
    const { failures, aborted } = parseBatchErrors(stderr, 255);
    expect([...failures.keys()]).toEqual([0]);
    expect(aborted).toContain('zz');
  });

  it('are none when iproute2 only warned', () => {
    expect(parseBatchErrors('Warning: something\n', 0)).toEqual({ failures: new Map(), aborted: null });
  });
});
