const NODE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const POLICY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}:[1-9]\d{0,9}:[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function isNodeId(text: string): boolean {
  return NODE_ID.test(text);
}

/** `<headend>:<color>:<endpoint>`, and when a headend is given, one of its own. */
export function isPolicyId(text: string, headend?: string): boolean {
  return POLICY_ID.test(text) && (headend === undefined || text.startsWith(`${headend}:`));
}
