import { Writable } from 'node:stream';
import { buildApp, type ApiOptions } from '../api/app.js';
import { createLog } from '../log.js';
import type { ApiApp } from '../api/type-provider.js';
import { fixedServices, type StatedServices } from './fixed-services.js';

/** The HTTP application on stated services, and what it logs. */
export async function testApp(
  stated: StatedServices = {},
  { level = 'warn', ...options }: Partial<Pick<ApiOptions, 'stream' | 'limits' | 'rates'>> & { level?: string } = {},
): Promise<{ readonly app: ApiApp; readonly log: string[] }> {
  const log: string[] = [];
  const sink = new Writable({
    write(line: Buffer, _encoding, done) {
      log.push(line.toString());
      done();
    },
  });
  const app = await buildApp(fixedServices(stated), {
    version: '0.0.0',
    logger: createLog(level, sink),
    ...options,
  });
  return { app, log };
}
