import { VppDisconnectedError, VppError } from '@waymark/vpp-api';
import { type ClassSource, type Family, type Step } from '../port.js';
import type { Attempts } from './attempts.js';
import { colorOfTable, tableOfColor } from './class-table-ids.js';
import { layClassTables, ownClassTables } from './class-tables.js';
import { readClassifiers } from './classifiers.js';
import { readInterfaces } from './interfaces.js';
import { layPodInput } from './pod-input.js';
import type { VppSettings } from './settings.js';
import {
  addSession,
  effectiveSessions,
  familyOf,
  laySourceTables,
  MOST_SOURCES,
  readSourceSessions,
  removeSession,
  type SourceSession,
  type SourceTables,
} from './source-tables.js';
import type { Vpp } from './vpp-link.js';
import { hasTable, readTables } from './vpp-state.js';

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>;
type PutSource = StepOf<'put-class-source'>;
type RemoveSource = StepOf<'remove-class-source'>;

/** The sources of classes, as packets meet them. */
export function classSourcesIn(
  sessions: readonly SourceSession[],
  settings: Pick<VppSettings, 'classTables'>,
): readonly ClassSource[] {
  return effectiveSessions(sessions).flatMap(({ address, table }) => {
    const color = colorOfTable(settings, table);
    return color === null ? [] : [{ address, color }];
  });
}

/**
 * Puts addresses into classes and takes others out, and leads the interfaces where pods are to the tables that know them. An
 * address that changes its class is in one of them at each moment.
 */
export async function applyClassSources(
  vpp: Vpp,
  puts: readonly PutSource[],
  removals: readonly RemoveSource[],
  settings: VppSettings,
  attempts: Attempts,
): Promise<void> {
  if (puts.length + removals.length === 0) return;
  await layClassTables(
    vpp,
    settings,
    puts.map(({ source }) => source.color),
  );
  const [classifiers, tables] = await Promise.all([readClassifiers(vpp), readTables(vpp)]);
  const own = ownClassTables(tables, settings);
  const sessions = byAddress(await readSourceSessions(vpp, classifiers));
  const fitting = withinLimit(puts, sessions, attempts).filter((step) => {
    const { address, color } = step.source;
    // VPP would make the table, without our mark.
    const isThere = hasTable(own, familyOf(address), tableOfColor(settings, color));
    if (!isThere) attempts.fail(step, `VPP has no ${familyOf(address)} table of ours for color ${color}`);
    return isThere;
  });
  const families = new Set(fitting.map(({ source }) => familyOf(source.address)));
  const sourceTables = new Map<Family, SourceTables>();
  for (const family of families) sourceTables.set(family, await laySourceTables(vpp, classifiers, family));
  const staying = new Set(puts.map(({ source }) => source.address));
  await Promise.all([
    ...fitting.map((step) => {
      const { address, color } = step.source;
      const into = sourceTables.get(familyOf(address));
      if (into === undefined) throw new Error(`there are no tables for ${address}`);
      const present = sessions.get(address) ?? [];
      return attempts.make(step, () => putSession(vpp, into, address, tableOfColor(settings, color), present));
    }),
    ...removals
      .filter(({ source }) => !staying.has(source.address))
      .map((step) => attempts.make(step, () => removeSessions(vpp, sessions.get(step.source.address) ?? []))),
  ]);
  try {
    await layPodInput(vpp, settings, await readInterfaces(vpp));
  } catch (error) {
    if (!(error instanceof VppError) || error instanceof VppDisconnectedError) throw error;
    for (const step of fitting) attempts.fail(step, `its packets cannot be told from others: ${error.message}`);
  }
}

/** Of two sessions for an address, that in front decides: the new one comes where there is none before the other goes. */
async function putSession(
  vpp: Vpp,
  into: SourceTables,
  address: string,
  table: number,
  present: readonly SourceSession[],
): Promise<void> {
  const isRight = (session: SourceSession | undefined) => session?.isOurs === true && session.table === table;
  const front = present.find(({ slot }) => slot === 'front');
  const back = present.find(({ slot }) => slot === 'back');
  if (front !== undefined && !isRight(front)) {
    if (!isRight(back)) {
      if (back !== undefined) await removeSession(vpp, back);
      await addSession(vpp, into.back, address, table);
    }
    await removeSession(vpp, front);
    return;
  }
  if (front === undefined) {
    if (isRight(back)) return;
    await addSession(vpp, into.front, address, table);
  }
  if (back !== undefined) await removeSession(vpp, back);
}

/** That in front last, which would show the other. */
async function removeSessions(vpp: Vpp, sessions: readonly SourceSession[]): Promise<void> {
  for (const slot of ['back', 'front']) {
    const session = sessions.find((one) => one.slot === slot);
    if (session !== undefined) await removeSession(vpp, session);
  }
}

/** Those that VPP has room for: it dies for the want of it. */
function withinLimit(
  puts: readonly PutSource[],
  sessions: ReadonlyMap<string, readonly SourceSession[]>,
  attempts: Attempts,
): readonly PutSource[] {
  const counts = new Map<Family, number>();
  const count = (address: string): number => {
    const sum = (counts.get(familyOf(address)) ?? 0) + 1;
    counts.set(familyOf(address), sum);
    return sum;
  };
  for (const address of sessions.keys()) count(address);
  return puts.filter((step) => {
    const { address } = step.source;
    const fits = sessions.has(address) || count(address) <= MOST_SOURCES;
    if (!fits) attempts.fail(step, `VPP has room for ${MOST_SOURCES} pods in service classes, in each family`);
    return fits;
  });
}

function byAddress(sessions: readonly SourceSession[]): ReadonlyMap<string, readonly SourceSession[]> {
  const all = new Map<string, SourceSession[]>();
  for (const session of sessions) {
    const others = all.get(session.address);
    if (others === undefined) all.set(session.address, [session]);
    else others.push(session);
  }
  return all;
}
