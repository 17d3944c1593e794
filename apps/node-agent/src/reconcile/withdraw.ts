import { DataPlaneError, type DataPlane } from '../dataplane/port.js';
import { indexActual } from './actual-index.js';
import { planBreaks } from './plan.js';

/**
 * Removes everything of ours from the data plane, on an operator's request. Returns what was removed, in steps. Throws
 * DataPlaneError when, read back, something is still there.
 */
export async function withdraw(dataPlane: DataPlane): Promise<number> {
  const steps = planBreaks([], [], [], indexActual(await dataPlane.read()));
  const failures = await dataPlane.apply(steps);
  const left = planBreaks([], [], [], indexActual(await dataPlane.read()));
  if (left.length > 0) {
    const why = failures[0]?.reason ?? 'something put it back; is the agent still running?';
    throw new DataPlaneError(`${left.length} of ${steps.length} could not be removed: ${why}`);
  }
  await dataPlane.dismantle();
  return steps.length;
}
