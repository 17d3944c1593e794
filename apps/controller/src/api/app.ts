import { randomUUID } from 'node:crypto';
import { fastifySSE } from '@fastify/sse';
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { TlsFiles } from '@waymark/agent-protocol';
import { LogController, fastify, type FastifyBaseLogger } from 'fastify';
import type { Journal } from '../model/journal.js';
import type { Services } from '../model/ports.js';
import { Admission } from './admission.js';
import { answerClientError, frameworkError } from './framework-errors.js';
import { EventLog } from './event-log.js';
import { EventStreams, type StreamLimits } from './event-stream.js';
import { followCertificates, httpsOptions } from './https.js';
import { apiLimits, noRateLimits, type ApiLimits, type RateLimits } from './limits.js';
import { refuseMissingBody, refuseUnknownMediaType } from './media-types.js';
import { serveDocument } from './document-text.js';
import { answerExpectations } from './expectations.js';
import { addBodyParsers } from './body-parsers.js';
import { watchMethods } from './method-not-allowed.js';
import { registerMetrics } from './metrics.js';
import { addDocumentation, nameParts, openapiFrame } from './openapi.js';
import { handleError, sendProblem } from './problems.js';
import { limitRates } from './rate-limits.js';
import { guardOperations, isRefused } from './access.js';
import { recordRequests } from './record-requests.js';
import { refuseRepeatedHeaders } from './repeated-headers.js';
import { agentRoutes } from './routes/agents.js';
import { apiKeyRoutes } from './routes/api-keys.js';
import { auditRoutes } from './routes/audit.js';
import { changeRoutes } from './routes/changes.js';
import { dryRunRoutes } from './routes/dry-runs.js';
import { eventRoutes } from './routes/events.js';
import { clusterRoutes } from './routes/clusters.js';
import { failureSweepRoutes } from './routes/failure-sweeps.js';
import { healthRoutes } from './routes/health.js';
import { linkConstraintRoutes } from './routes/link-constraints.js';
import { linkRoutes } from './routes/links.js';
import { meshRoutes } from './routes/meshes.js';
import { nodeConstraintRoutes } from './routes/node-constraints.js';
import { nodeRoutes } from './routes/nodes.js';
import { pathBatchEventRoutes } from './routes/path-batch-events.js';
import { pathBatchRoutes } from './routes/path-batches.js';
import { pathRoutes } from './routes/paths.js';
import { policyRoutes } from './routes/policies.js';
import { serviceClassRoutes } from './routes/service-classes.js';
import { sidConfirmationRoutes } from './routes/sid-confirmations.js';
import { sourceRoutes } from './routes/sources.js';
import { topologyRoutes } from './routes/topology.js';
import { setSecurityHeaders, swaggerContentSecurityPolicy } from './security-headers.js';
import type { ApiApp, SchemaTypeProvider } from './type-provider.js';
import { tellOfUntrustedProxies } from './untrusted-proxies.js';
import { compileValidator } from './validation.js';
import { limitWork } from './work-limit.js';

export interface ApiOptions {
  /** Version of Waymark, for the document. */
  readonly version: string;
  readonly logger: FastifyBaseLogger;
  /** Left out: in the clear. */
  readonly tls?: TlsFiles;
  /** Of the stream of events; these by default. */
  readonly stream?: StreamLimits;
  /** Others than these of apiLimits. */
  readonly limits?: Partial<ApiLimits>;
  /** Left out: clients may make as many requests as they like. */
  readonly rates?: RateLimits;
  /** Requests that change or compute something are entries of it. */
  readonly journal?: Journal;
  /** Random ones without it. */
  readonly newRequestId?: () => string;
}

const streamLimits: StreamLimits = { heartbeatMs: 15_000, stalledAfterMs: 30_000 };

const eventsKept = 4096;

/** There is one document here, so no bar to choose another. */
const swaggerTheme = {
  title: 'Waymark: REST API',
  css: [{ filename: 'waymark.css', content: '.swagger-ui .topbar { display: none }' }],
};

const routes = [
  healthRoutes,
  topologyRoutes,
  changeRoutes,
  nodeRoutes,
  linkRoutes,
  linkConstraintRoutes,
  nodeConstraintRoutes,
  sidConfirmationRoutes,
  pathRoutes,
  pathBatchRoutes,
  policyRoutes,
  meshRoutes,
  serviceClassRoutes,
  dryRunRoutes,
  failureSweepRoutes,
  agentRoutes,
  sourceRoutes,
  clusterRoutes,
  apiKeyRoutes,
  auditRoutes,
];

/**
 * The HTTP API on the services of a controller: routes under /v1, health and metrics, the OpenAPI document at
 * /openapi.json and Swagger UI at /docs, both for anybody. The caller listens and closes.
 */
export async function buildApp(services: Services, options: ApiOptions): Promise<ApiApp> {
  const limits = { ...apiLimits, ...options.limits };
  const rates = options.rates ?? noRateLimits;
  const { tls } = options;
  const timeouts = { headersTimeout: limits.headersMs, connectionsCheckingInterval: limits.lookingEveryMs };
  const app = fastify({
    // Its type says that the server is another one, of which nothing here makes use.
    ...(tls ? ({ https: { ...httpsOptions(tls), ...timeouts } } as object) : { http: timeouts }),
    loggerInstance: options.logger,
    // a request per line is too much for a log that people read; /metrics counts them
    logController: new LogController({ disableRequestLogging: true }),
    // what is written down of a change is found by it, whichever controller made it
    genReqId: options.newRequestId ?? (() => randomUUID()),
    bodyLimit: 1_048_576,
    requestTimeout: limits.requestMs,
    ...(rates.trustedProxies.length > 0 && { trustProxy: [...rates.trustedProxies] }),
    return503OnClosing: false,
    routerOptions: { maxParamLength: 1000 },
    frameworkErrors: frameworkError,
    clientErrorHandler: (error, socket) => answerClientError(error, socket, limits.lingerMs),
  }).withTypeProvider<SchemaTypeProvider>();
  if (tls !== undefined) followCertificates(app.server, tls);

  app.setValidatorCompiler(compileValidator);
  // Replies go out as the services made them: a reply that does not fit its schema must be seen, not trimmed to fit.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(handleError);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, 'route-unknown', { detail: `there is nothing at ${request.method} ${request.url}` }),
  );
  addBodyParsers(app);
  app.addHook('onRequest', (request, reply, done) => {
    setSecurityHeaders(reply.header('x-request-id', request.id));
    done();
  });
  refuseRepeatedHeaders(app);
  tellOfUntrustedProxies(app);
  const admission = new Admission(app, limits);
  guardOperations(app, () => services.access, await limitRates(app, rates));
  app.addHook('onRequest', (request, _, done) => {
    refuseUnknownMediaType(request);
    done();
  });
  app.addHook('preValidation', (request, _, done) => {
    refuseMissingBody(request);
    done();
  });
  app.addHook('onSend', (_, reply, payload, done) => {
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-cache');
    done(null, payload);
  });
  refuseUnknownQueryParameters(app);
  const forbidOtherMethods = watchMethods(app);
  answerExpectations(app);
  serveDocument(app);
  if (options.journal !== undefined) recordRequests(app, options.journal);
  // After it: an entry lasts as long as the work, not as the wait for it.
  limitWork(app, limits, admission);

  await app.register(fastifySwagger, {
    openapi: openapiFrame(options.version),
    transform: addDocumentation,
    transformObject: (document) =>
      nameParts('openapiObject' in document ? document.openapiObject : document.swaggerObject),
    convertConstToEnum: false,
  });
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: swaggerContentSecurityPolicy,
    theme: swaggerTheme,
    uiConfig: { deepLinking: true, tryItOutEnabled: true, displayRequestDuration: true, docExpansion: 'list' },
  });
  const stream = options.stream ?? streamLimits;
  await app.register(fastifySSE, { heartbeatInterval: stream.heartbeatMs });

  const log = new EventLog(services.events, { capacity: eventsKept, stream: randomUUID().slice(0, 8) });
  app.addHook('onClose', () => log.close());
  registerMetrics(app, services, () => admission.counts());
  for (const register of routes) register(app, services);
  const streams = new EventStreams(app, {
    limits: stream,
    isRefused: (request) => isRefused(services.access, request),
    admit: (request, reply) => admission.admitStream(request, reply),
  });
  eventRoutes(app, log, streams);
  pathBatchEventRoutes(app, services, streams);
  forbidOtherMethods();
  return app;
}

function refuseUnknownQueryParameters(app: ApiApp): void {
  app.addHook('onRoute', (route) => {
    if (route.schema === undefined || 'hide' in route.schema || route.schema.querystring !== undefined) return;
    route.schema.querystring = { type: 'object', properties: {}, additionalProperties: false };
  });
}
