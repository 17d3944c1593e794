import { pino } from 'pino';
import { readConfig } from '../../apps/controller/src/config.js';
import { startController, type Controller } from '../../apps/controller/src/controller.js';
import type { AdminKey } from '../../apps/controller/src/testing/admin-key.js';

export interface SharedParts {
  readonly databaseUrl: string;
  readonly key: AdminKey;
  readonly folder: string;
}

/** One of several controllers in this process, on the same database, with the demo's topology and without its agents. */
export function startControllerOn({ databaseUrl, key, folder }: SharedParts, name: string): Promise<Controller> {
  const config = readConfig({
    DATABASE_URL: databaseUrl,
    ...key.settings,
    WAYMARK_NAME: name,
    WAYMARK_DEMO: 'topology',
    WAYMARK_HTTP_PORT: '0',
    WAYMARK_GRPC_PORT: '0',
    WAYMARK_DATA_DIR: folder,
    WAYMARK_WORKERS: '1',
  });
  return startController(config, pino({ level: 'silent' }));
}
