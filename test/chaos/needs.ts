import type { Needs } from '../require-program.js';
import { SMALL_DISK_PROGRAMS } from './devices/small-disk-postgres.js';

/** What the machine must have for the whole system to be broken in every way. */
export const CHAOS_NEEDS: Needs = {
  programs: ['redis-server', 'openssl', 'setpriv', 'faketime', ...SMALL_DISK_PROGRAMS],
  root: true,
};
