import { describe, expect, it } from 'vitest';
import { TEST_SETTINGS } from '../../testing/vpp-harness.js';
import { additionOf, LOCAL_SID_BEHAVIORS, localSidFound, removalOf } from './local-sids.js';
import type { VppLocalSid } from './vpp-state.js';

const INTERFACES = new Map([
  [1, 'eth0'],
  [2, 'tun0'],
]);
const END: VppLocalSid = {
  sid: 'fc00:9::1',
  behavior: 'SR_BEHAVIOR_API_END',
  endPsp: false,
  table: 0,
  nextHop: '::',
  interfaceOrTable: 0,
};
const found = (differences: Partial<VppLocalSid>) =>
  localSidFound({ ...END, ...differences }, TEST_SETTINGS, INTERFACES);

describe('local SIDs in VPP', () => {
  it.each(LOCAL_SID_BEHAVIORS)('%s is found as it was asked for', (behavior) => {
    const via = behavior === 'End.X' ? { via: 'fe80::1%tun0' } : {};
    const wanted = { sid: 'fc00:9::7', behavior, ...via };
    const {
      localsid,
      behavior: number,
      end_psp,
      fib_table,
      sw_if_index,
      nh_addr,
    } = additionOf(wanted, TEST_SETTINGS, INTERFACES);
    const asVppShowsIt = {
      sid: localsid,
      behavior: number,
      endPsp: end_psp,
      table: fib_table,
      nextHop: nh_addr,
      interfaceOrTable: sw_if_index,
    };
    expect(localSidFound(asVppShowsIt, TEST_SETTINGS, INTERFACES)).toEqual(wanted);
  });

  it.each([
    { what: 'PSP', differences: { endPsp: true } },
    { what: 'another table', differences: { table: 5 } },
    { what: 'another table to decapsulate into', differences: { behavior: 'SR_BEHAVIOR_API_DT6' as const } },
    { what: 'a behavior that agents do not own', differences: { behavior: 'SR_BEHAVIOR_API_DX2' as const } },
    { what: 'a behavior of a plugin', differences: { behavior: 17 } },
  ])('one with $what is found in a form that no wanted one has', ({ differences }) => {
    expect(LOCAL_SID_BEHAVIORS).not.toContain(found(differences).behavior);
  });

  it('names the interface of an End.X by a question mark when it is gone', () => {
    const cross = { behavior: 'SR_BEHAVIOR_API_X' as const, nextHop: 'fe80::1', interfaceOrTable: 9 };
    expect(found(cross)).toEqual({ sid: END.sid, behavior: 'End.X', via: 'fe80::1%?' });
  });

  it('refuses an interface that VPP does not have, no next hop at all, and a behavior that it cannot own', () => {
    const add = (behavior: string, via?: string) => () =>
      additionOf({ sid: END.sid, behavior, ...(via === undefined ? {} : { via }) }, TEST_SETTINGS, INTERFACES);
    expect(add('End.X', 'fe80::1%eth9')).toThrow('no interface "eth9"');
    expect(add('End.X')).toThrow('no interface ""');
    expect(add('End.B6.Encaps')).toThrow('cannot own');
  });

  it('deletes from the table, and by the behavior and interface, in which it was found', () => {
    expect(removalOf({ ...END, table: 5, endPsp: true })).toMatchObject({ is_del: true, fib_table: 5, end_psp: true });
    const cross = { ...END, behavior: 'SR_BEHAVIOR_API_X' as const, interfaceOrTable: 2 };
    expect(removalOf(cross)).toMatchObject({ behavior: 'SR_BEHAVIOR_API_X', sw_if_index: 2 });
  });
});
