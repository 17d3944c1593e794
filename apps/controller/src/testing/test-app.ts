import { Writable } from 'node:stream';
import { buildApp } from '../api/app.js';
import type { StreamLimits } from '../api/event-stream.js';
import { createLog } from '../log.js';
import type { ApiApp } from '../api/type-provider.js';
import { fixedServices, type StatedServices } from './fixed-services.js';

/** The HTTP application on stated services, and what it logs. */
export async function testApp(
  stated: StatedServices = {},
  stream?: StreamLimits,
  level = 'warn',
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
    ...(stream === undefined ? {} : { stream }),
  });
  return { app, log };
}
