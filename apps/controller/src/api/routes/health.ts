import { ControllerList, Health } from '@waymark/http-contract';
import { Problem } from '../../model/errors.js';
import type { Health as HealthState, Services } from '../../model/ports.js';
import { json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

export function healthRoutes(app: ApiApp, services: Services): void {
  app.get(
    '/healthz',
    {
      config: { isProbe: true, rateLimit: false },
      schema: {
        ...words('Operation', 'getHealth', 'Is the process alive?', '503 means: restart it.'),
        response: { 200: json(Health, 'It is.'), ...problems('request-invalid', 'not-ready') },
      },
    },
    async () => {
      const health = await services.health();
      if (!health.live) throw notReady(health.checks);
      return health;
    },
  );

  app.get(
    '/readyz',
    {
      config: { isProbe: true, rateLimit: false },
      schema: {
        ...words('Operation', 'getReadiness', 'Can it serve requests?', '503 means: send requests elsewhere for now.'),
        response: { 200: json(Health, 'It can.'), ...problems('request-invalid', 'not-ready') },
      },
    },
    async () => {
      const health = await services.health();
      if (!health.ready) throw notReady(health.checks);
      return health;
    },
  );

  app.get(
    '/v1/controllers',
    {
      schema: {
        ...words(
          'Operation',
          'listControllers',
          'List controllers',
          'Every controller of the installation, which of them leads, since when, and how far the views of the others are behind.',
        ),
        response: { 200: json(ControllerList, 'All controllers.'), ...problems(...readProblems) },
      },
    },
    () => services.controllers.controllers(),
  );
}

function notReady(checks: HealthState['checks']): Problem {
  const failed = Object.entries(checks).filter(([, check]) => !check.ok);
  return new Problem('not-ready', {
    detail: failed.map(([name, check]) => `${name}: ${check.detail}`).join('; '),
    retryAfterSeconds: 1,
  });
}
