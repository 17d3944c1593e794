/**
 * The load generator of rest.mjs, in a process of its own: reads one job as JSON from standard input and prints what came
 * of it. A job is {url, headers, method, path, bodies, connections, seconds, maxRequests}; bodies are sent in turn.
 */
import { text } from 'node:stream/consumers';
import autocannon from 'autocannon';

const { url, headers, method, path, bodies, connections, seconds, maxRequests } = JSON.parse(await text(process.stdin));
const { requests, latency, non2xx, errors, duration } = await autocannon({
  url,
  connections,
  duration: seconds,
  maxOverallRequests: maxRequests,
  requests: bodies.map((body) => ({
    method,
    path,
    headers: { ...headers, ...(body !== null && { 'content-type': 'application/json' }) },
    ...(body !== null && { body: JSON.stringify(body) }),
  })),
});
const result = { answered: requests.total, seconds: duration, p50: latency.p50, p99: latency.p99, non2xx, errors };
process.stdout.write(`${JSON.stringify(result)}\n`);
