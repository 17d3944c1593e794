import { pino } from 'pino';
import type { Services } from '../model/ports.js';
import { buildApp } from './app.js';

/** The OpenAPI document without a controller behind it: routes touch their services only when a request comes. */
export async function openapiDocument(version: string): Promise<object> {
  const noEvents = { emit: () => undefined, gap: () => undefined, subscribe: () => () => undefined };
  const app = await buildApp({ events: noEvents } as Partial<Services> as Services, {
    version,
    logger: pino({ level: 'silent' }),
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}
