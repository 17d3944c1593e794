import { describe, expect, it } from 'vitest';
import { classContract } from '../testing/class-contract.js';
import { dataPlaneContract, type ContractSubject } from '../testing/data-plane-contract.js';
import { ReconciledAgent, silentLog } from '../testing/reconciled-agent.js';
import { DryRunDataPlane } from './dry-run.js';

const subject: ContractSubject = {
  name: 'dry-run',
  skip: undefined,
  histories: 100,
  create: () => {
    let writes = 0;
    const dataPlane = new DryRunDataPlane({
      log: silentLog,
      encapMode: 'full',
      msdHEncaps: 14,
      record: () => (writes += 1),
    });
    return Promise.resolve({ open: () => dataPlane, writes: () => writes, close: () => Promise.resolve() });
  },
};
dataPlaneContract(subject);
classContract(subject);

describe('the dry run', () => {
  it('says what it would do, for people and for programs', async () => {
    const said: string[] = [];
    const recorded: string[] = [];
    const log = { info: (line: unknown) => said.push(String(line)) };
    const record = (line: string) => recorded.push(line);
    const agent = new ReconciledAgent(new DryRunDataPlane({ log, encapMode: 'full', msdHEncaps: 0, record }));
    await agent.want({
      id: 'h1:10:h2',
      ipv4: {
        lists: [
          [3, 'fc00:1::1', 'fc00:2::d4'],
          [1, 'fc00:2::d4'],
        ],
        prefixes: ['10.2.0.0/24'],
      },
    });
    await agent.want();
    const bsid = /BSID (\S+)\)/.exec(said[0] ?? '')?.[1] ?? '';
    expect(said).toEqual([
      `would set h1:10:h2 ipv4 (BSID ${bsid}) to 3 × [fc00:1::1, fc00:2::d4] + 1 × [fc00:2::d4] and steer 10.2.0.0/24 into it`,
      'would stop steering 10.2.0.0/24',
      `would remove the tunnel with BSID ${bsid}`,
    ]);
    expect(recorded.map((line) => (JSON.parse(line) as { readonly kind: string }).kind)).toEqual([
      'put-tunnel',
      'unsteer',
      'remove-tunnel',
    ]);
  });
});
