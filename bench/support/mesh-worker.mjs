/** Computes from the sources it is told, one after the other, on a snapshot in shared memory; says how many paths it found. */
import { parentPort, workerData } from 'node:worker_threads';
import { computeFromSource, MeshStatus, snapshotFromShared } from '@waymark/topology';

const snapshot = snapshotFromShared(workerData.snapshot);
const { request, sources } = workerData;
let computed = 0;
let alone = 0;
for (const source of sources) {
  const paths = computeFromSource(snapshot, source, request);
  computed += paths.status.filter((status) => status === MeshStatus.computed).length;
  alone += paths.computedAlone;
}
parentPort.postMessage({ computed, alone });
