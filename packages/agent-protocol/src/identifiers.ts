const NODE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const POLICY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}:[1-9]\d{0,9}:[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function isNodeId(text: string): boolean {
  return NODE_ID.test(text);
}

/** `<headend>:<color>:<endpoint>`, and when a headend is given, one of its own. Ids of service classes are formed alike. */
export function isPolicyId(text: string, headend?: string): boolean {
  return POLICY_ID.test(text) && (headend === undefined || text.startsWith(`${headend}:`));
}

/** `<headend>:<color>:<headend>`: the pods of a service class; no policy ends where it begins. */
export function isClassId(text: string): boolean {
  const [headend, , endpoint] = text.split(':');
  return POLICY_ID.test(text) && headend === endpoint;
}

export function classIdOf(headend: string, color: number): string {
  return `${headend}:${color}:${headend}`;
}
