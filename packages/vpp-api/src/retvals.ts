/**
 * SR handlers return numbers of their own, not VPP's generic errors (which would read as something else altogether), so
 * each message has its own meanings here; found by trying them on VPP 26.06. Those of the classifier are generic, and too
 * short to say what is wrong.
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

const NO_CLASSIFIER = 'there is no such classifier table';

const meanings: Readonly<Record<string, ReadonlyMap<number, string>>> = {
  sr_policy_add: policyAdd,
  sr_policy_add_v2: policyAdd,
  sr_policy_mod: policyChange,
  sr_policy_mod_v2: policyChange,
  sr_policy_del: policyChange,
  sr_localsid_add_del: localSid,
  sr_localsid_add_del_v2: localSid,
  sr_steering_add_del: steering,
  classify_add_del_table: new Map([
    [-7, 'the vectors or buckets of the classifier table do not fit'],
    [-65, NO_CLASSIFIER],
    [-70, 'a classifier table needs memory'],
  ]),
  classify_add_del_session: new Map([
    [-6, 'there is no such session'],
    [-7, 'the match is not as long as those of the classifier table'],
    [-65, NO_CLASSIFIER],
  ]),
  classify_table_info: new Map([[-91, NO_CLASSIFIER]]),
  classify_table_by_interface: new Map([[-2, 'there is no such interface']]),
  input_acl_set_interface: new Map([
    [-2, 'there is no such interface'],
    [-65, 'there is no such classifier table, or the interface has another'],
  ]),
};

/** What a return value of a request means, with the number itself. */
export function explainRetval(request: string, retval: number): string {
  const meaning = meanings[request]?.get(retval);
  return meaning === undefined ? `refused with retval ${retval}` : `${meaning} (retval ${retval})`;
}
