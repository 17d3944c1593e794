import { readFileSync } from 'node:fs';
import { StartFault } from '../model/start-fault.js';
import { hashOf } from './secrets.js';

const MIN_LENGTH = 32;

/**
 * The hash of the key in WAYMARK_ADMIN_KEY_FILE: whoever has it is an admin, as long as the file says so. It makes the first
 * API keys, and lets in again who has lost them.
 *
 * @throws StartFault naming the file and what is wrong with it.
 */
export function readAdminKey(file: string): Buffer {
  const key = contentOf(file).trim();
  if (key.length < MIN_LENGTH || !/^[\x21-\x7e]+$/.test(key)) {
    throw new StartFault(
      `${file} of WAYMARK_ADMIN_KEY_FILE must hold one key of at least ${MIN_LENGTH} printable characters: write the ` +
        'output of `openssl rand -hex 32` into it',
    );
  }
  return hashOf(key);
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartFault(`the file of WAYMARK_ADMIN_KEY_FILE cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
