import { stateHashOf, type Delta, type PolicyChange } from '@waymark/agent-protocol';
import { describe, expect, it } from 'vitest';
import type { HeldState, Snapshot } from './held-state.js';
import { judgeDelta, judgeDigest, judgeSnapshot } from './verdict.js';

const old = { policyId: 'h1:1:h2', generation: 9, deleted: false, body: Uint8Array.of(1) };
const added = { policyId: 'h1:1:h3', generation: 10, deleted: false, body: Uint8Array.of(2) };
const held: HeldState = {
  instance: 'i',
  epoch: 5,
  generation: 9,
  stateHash: stateHashOf([old]),
  policies: new Map([[old.policyId, { generation: 9, body: old.body }]]),
};

describe('a delta', () => {
  const follows: Delta = {
    instance: 'i',
    nodeId: 'h1',
    epoch: 5,
    generation: 10,
    previousGeneration: 9,
    stateHash: stateHashOf([old, added]),
    hint: false,
    changes: [added],
  };

  it.each<[string, Partial<Delta>, object]>([
    ['that follows is applied', {}, { kind: 'apply', held: { generation: 10 } }],
    ['of a newer epoch that follows is applied', { epoch: 6 }, { kind: 'apply', held: { epoch: 6 } }],
    ['that skips generations but follows is applied', { generation: 15 }, { kind: 'apply', held: { generation: 15 } }],
    ['of another node is dropped', { nodeId: 'h2' }, { kind: 'drop', why: 'foreign' }],
    ['of another installation is dropped', { instance: 'j' }, { kind: 'drop', why: 'foreign' }],
    ['of an older epoch is dropped', { epoch: 4 }, { kind: 'drop', why: 'old-epoch' }],
    [
      'of the same generation is dropped',
      { generation: 9, previousGeneration: 8 },
      { kind: 'drop', why: 'old-generation' },
    ],
    [
      'of an older generation is dropped',
      { generation: 3, previousGeneration: 2 },
      { kind: 'drop', why: 'old-generation' },
    ],
    ['after a gap asks for a resync', { generation: 11, previousGeneration: 10 }, { kind: 'resync', why: 'gap' }],
    ['from before the held state asks for a resync', { previousGeneration: 8 }, { kind: 'resync', why: 'gap' }],
    ['without its changes asks for a resync', { hint: true, changes: [] }, { kind: 'resync', why: 'hint' }],
    ['that adds up to another state asks for a resync', { changes: [] }, { kind: 'resync', why: 'hash-mismatch' }],
  ])('%s', (_, change, verdict) => {
    expect(judgeDelta(held, { ...follows, ...change }, 'h1')).toMatchObject(verdict);
  });

  it('removes, replaces and adds, and leaves the held state as it was', () => {
    const replaced = { ...old, generation: 10, body: Uint8Array.of(7) };
    const first = judgeDelta(held, { ...follows, stateHash: stateHashOf([replaced]), changes: [replaced] }, 'h1');
    expect(first).toMatchObject({
      held: { policies: new Map([[old.policyId, { generation: 10, body: replaced.body }]]) },
    });
    const gone = { ...old, generation: 10, deleted: true, body: new Uint8Array(0) };
    const second = judgeDelta(held, { ...follows, stateHash: stateHashOf([]), changes: [gone] }, 'h1');
    expect(second).toMatchObject({ held: { policies: new Map() } });
    expect(held.policies.get(old.policyId)?.body).toEqual(old.body);
  });
});

describe('a digest', () => {
  it.each([
    ['equal', { epoch: 5, generation: 9, stateHash: held.stateHash }, 'in-sync'],
    ['ahead', { epoch: 5, generation: 10, stateHash: held.stateHash }, 'resync'],
    ['of a newer epoch', { epoch: 6, generation: 9, stateHash: held.stateHash }, 'resync'],
    ['of another hash', { epoch: 5, generation: 9, stateHash: stateHashOf([]) }, 'resync'],
    ['of an older epoch', { epoch: 4, generation: 12, stateHash: stateHashOf([]) }, 'ignore'],
    ['of an older generation', { epoch: 6, generation: 8, stateHash: stateHashOf([]) }, 'ignore'],
  ] as const)('that is %s: %#', (_, digest, verdict) => {
    expect(judgeDigest(held, digest)).toBe(verdict);
  });
});

describe('a snapshot', () => {
  const newer: Snapshot = {
    instance: 'i',
    epoch: 5,
    generation: 10,
    stateHash: stateHashOf([old, added]),
    policies: [old, added],
    unchanged: false,
  };
  const stranger: PolicyChange = { ...added, policyId: 'h2:1:h3' };

  it.each<[string, Partial<Snapshot>, object]>([
    ['that is newer is applied', {}, { kind: 'apply', held: { generation: 10 } }],
    ['of the same generation repairs what is held', { generation: 9 }, { kind: 'apply' }],
    ['that says nothing changed is believed', { unchanged: true, policies: [] }, { kind: 'unchanged' }],
    ['of an older generation is ignored', { generation: 8 }, { kind: 'ignore' }],
    ['of an older epoch is ignored', { epoch: 4 }, { kind: 'ignore' }],
    ['of a node never decided on is ignored', { epoch: 9, generation: 0, policies: [] }, { kind: 'ignore' }],
    ['of another installation is refused', { instance: 'j' }, { kind: 'refuse' }],
    ['with a policy missing is refused', { policies: [old] }, { kind: 'refuse' }],
    ['with a policy twice is refused', { policies: [old, added, added] }, { kind: 'refuse' }],
    [
      'with a policy of another node is refused',
      { policies: [stranger], stateHash: stateHashOf([stranger]) },
      { kind: 'refuse' },
    ],
  ])('%s', (_, change, verdict) => {
    expect(judgeSnapshot(held, { ...newer, ...change }, 'h1')).toMatchObject(verdict);
  });
});
