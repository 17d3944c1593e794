import type { VppSettings } from './settings.js';

type Settings = Pick<VppSettings, 'classTables'>;

/** The highest id that a table may have: 0xffffffff means none, any, or one of VPP's own. */
export const LAST_TABLE = 0xffff_fffe;

/** Id of the FIB tables of the service class of a color, one in each family. */
export function tableOfColor({ classTables }: Settings, color: number): number {
  return classTables + color;
}

/** null: it is no table of a class. */
export function colorOfTable({ classTables }: Settings, table: number): number | null {
  return table > classTables && table <= LAST_TABLE ? table - classTables : null;
}
