import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Family, stateHashOf } from '@waymark/agent-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HeldState } from './held-state.js';
import { StateFile } from './state-file.js';

let root: string;
let directory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'waymark-state-'));
  directory = join(root, 'agent', 'h1');
});

afterEach(() => rm(root, { recursive: true }));

function state(generation: number): HeldState {
  const body = Uint8Array.of(generation, 2, 3);
  return {
    instance: 'i',
    epoch: 2,
    generation,
    stateHash: stateHashOf([{ policyId: 'h1:1:h2', body }]),
    policies: new Map([['h1:1:h2', { generation, body }]]),
    bsidBlock: { family: Family.IPV6, address: new Uint8Array(16).fill(generation, 0, 8), length: 64 },
  };
}

describe('the state file', () => {
  it('is no state where there is none', async () => {
    expect(await new StateFile(directory, 'h1').load()).toEqual({ kind: 'none' });
  });

  it('gives back the last state that was stored', async () => {
    const file = new StateFile(directory, 'h1');
    await file.store(state(1));
    await file.store(state(2));
    expect(await new StateFile(directory, 'h1').load()).toEqual({ kind: 'state', held: state(2) });
  });

  it('is the old state when the process died while writing the new one', async () => {
    const file = new StateFile(directory, 'h1');
    await file.store(state(1));
    await writeFile(join(directory, 'desired-state.new'), 'half of it');
    expect(await file.load()).toEqual({ kind: 'state', held: state(1) });
    await file.store(state(2));
    expect(await file.load()).toEqual({ kind: 'state', held: state(2) });
  });

  it('is corrupt when any bit differs or any byte is missing', async () => {
    const file = new StateFile(directory, 'h1');
    await file.store(state(1));
    const path = join(directory, 'desired-state');
    const good = await readFile(path);
    for (let index = 0; index < good.length; index++) {
      const damaged = Buffer.from(good);
      damaged[index] = (damaged[index] ?? 0) ^ (1 << (index % 8));
      await writeFile(path, damaged);
      expect(await file.load()).toMatchObject({ kind: 'corrupt' });
      await writeFile(path, good.subarray(0, index));
      expect(await file.load()).toMatchObject({ kind: 'corrupt' });
    }
  });

  it('is not taken over from another node', async () => {
    await new StateFile(directory, 'h1').store(state(1));
    expect(await new StateFile(directory, 'h2').load()).toMatchObject({ kind: 'corrupt' });
  });

  it('rejects what it cannot write', async () => {
    await mkdir(join(root, 'agent'));
    await writeFile(directory, 'not a directory');
    await expect(new StateFile(directory, 'h1').store(state(1))).rejects.toThrow();
  });
});
