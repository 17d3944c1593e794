/**
 * SR handlers return numbers of their own, not VPP's generic errors (which would read as something else altogether), so
 * each message has its own meanings here; found by trying them on VPP 26.06.
 */

const policyAdd = new Map([
  [-12, 'the binding SID exists already, as an SR policy or as another /128 route'],
  [-13, 'the FIB table does not exist'],
]);

const policyChange = new Map([
  [-1, 'there is no SR policy with this binding SID'],
  [-21, 'the last segment list of an SR policy cannot be deleted'],
  [-22, 'the segment list is not one of this SR policy'],
  [-32, 'the segment list is not one of this SR policy'],
]);

const localSid = new Map([
  [-1, 'the local SID exists already'],
  [-2, 'there is no such local SID'],
  [-3, 'the FIB table does not exist'],
  [-4, 'the address is routed already'],
]);

const steering = new Map([
  [-1, 'the traffic type is not known'],
  [-2, 'there is no SR policy with this binding SID'],
  [-4, 'there is no such steering'],
  [-5, 'IPv4 cannot be steered into an SR policy that inserts'],
]);

const meanings: Readonly<Record<string, ReadonlyMap<number, string>>> = {
  sr_policy_add: policyAdd,
  sr_policy_add_v2: policyAdd,
  sr_policy_mod: policyChange,
  sr_policy_mod_v2: policyChange,
  sr_policy_del: policyChange,
  sr_localsid_add_del: localSid,
  sr_localsid_add_del_v2: localSid,
  sr_steering_add_del: steering,
};

/** What a return value of a request means, with the number itself. */
export function explainRetval(request: string, retval: number): string {
  const meaning = meanings[request]?.get(retval);
  return meaning === undefined ? `refused with retval ${retval}` : `${meaning} (retval ${retval})`;
}
