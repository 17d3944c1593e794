import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The key of an admin, in a file below `folder`: what a controller on a database of its own needs to start. */
export interface AdminKey {
  /** Settings of the controller. */
  readonly settings: { readonly WAYMARK_ADMIN_KEY_FILE: string };
  /** Of requests. */
  readonly headers: { readonly authorization: string };
}

export function writeAdminKey(folder: string): AdminKey {
  const key = randomBytes(32).toString('hex');
  const file = join(folder, 'admin-key');
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return { settings: { WAYMARK_ADMIN_KEY_FILE: file }, headers: { authorization: `Bearer ${key}` } };
}
