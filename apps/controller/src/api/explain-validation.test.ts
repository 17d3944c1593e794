import { DryRunRequest, PathConstraints, SrPolicyIntent } from '@waymark/http-contract';
import { Ajv } from 'ajv';
import type { TSchema } from 'typebox';
import { describe, expect, it } from 'vitest';
import { explainErrors } from './explain-validation.js';

function explain(schema: TSchema, value: unknown) {
  const ajv = new Ajv({ verbose: true });
  ajv.validate(schema, value);
  return explainErrors(ajv.errors ?? []);
}

const policy = { headend: 'a', color: 1, endpoint: 'b', fallback: 'drop' };

describe('what does not fit is explained', () => {
  it('along the branch that the kind chooses', () => {
    const path = { kind: 'dynamic', metric: 'igp', constraints: {}, sids: [] };
    expect(explain(SrPolicyIntent, { ...policy, candidatePaths: [{ discriminator: 1, preference: 1, path }] })).toEqual(
      {
        pointer: '/candidatePaths/0/path/sids',
        detail: 'is not a known member',
      },
    );
  });

  it('with the kinds there are when there is no such kind', () => {
    expect(explain(DryRunRequest, { changes: [{ kind: 'link-down' }] })).toEqual({
      pointer: '/changes/0/kind',
      detail: expect.stringMatching(/^must be one of "link-constraints", .*, not "link-down"$/) as string,
    });
  });

  it('deep inside a union in a union', () => {
    const constraints = { kind: 'node-constraints', node: 'a', constraints: { adminState: 'off' } };
    expect(explain(DryRunRequest, { changes: [constraints] })).toMatchObject({
      pointer: '/changes/0/constraints/adminState',
      detail: 'must be one of "up", "drained", "down", or must be null, not "off"',
    });
  });

  it('by all it may be when no branch says more', () => {
    expect(explain(PathConstraints, { include: [5] })).toEqual({
      pointer: '/include/0',
      detail: 'must be object, not 5',
    });
  });

  it('without repeating a long value', () => {
    const { detail } = explain(SrPolicyIntent, { ...policy, color: 'x'.repeat(10_000), candidatePaths: [] });
    expect(detail.length).toBeLessThan(200);
  });
});
