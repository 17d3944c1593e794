import { Problem, problemCatalogue } from '../model/errors.js';
import type { Actor } from '../model/topology.js';

/** Makes something on behalf of an object; where the object has it already, replaces it. Throws Problem. */
export async function createOrReplace<View extends { readonly version: number; readonly owner: string | null }>(
  create: () => Promise<View>,
  read: () => Promise<View>,
  replace: (version: number) => Promise<View>,
  { owner }: Actor,
): Promise<View> {
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'already-exists') throw error;
    const known = await read();
    if (known.owner !== owner) throw error;
    return replace(known.version);
  }
}

/** Is the reason for a refusal something that the object asks for? Otherwise it is ours, and is tried again. */
export function isRefusal(error: unknown): error is Problem {
  if (!(error instanceof Problem)) return false;
  const { code } = error;
  // Something else happened between reading and writing: the next try begins anew.
  return problemCatalogue[code].status < 500 && code !== 'precondition-failed' && code !== 'not-found';
}
