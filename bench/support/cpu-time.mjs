/** CPU time of this process in milliseconds, all its threads: other work on the machine does not count. */
export function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * CPU time of `work(i)` in milliseconds, mean over as many calls as fit into `forMs` (one at least) after a warm-up of half
 * that. Calls are counted, so that work(i) can take query i.
 */
export function meanMs(work, forMs = 1_000) {
  let calls = 0;
  const warm = cpuMs();
  do work(calls++);
  while (cpuMs() - warm < forMs / 2);
  const start = cpuMs();
  const first = calls;
  let now = start;
  do {
    work(calls++);
    now = cpuMs();
  } while (now - start < forMs);
  return (now - start) / (calls - first);
}
