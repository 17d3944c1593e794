import { VppRetvalError } from '@waymark/vpp-api';
import type { Vpp } from './vpp-link.js';

/** Index of no table. */
export const NO_TABLE = 0xffffffff;
const VECTOR_BYTES = 16;
const NO_SUCH_TABLE = -91;
const FROM_IP_HEADER = 1;
/** The node of a session that drops. */
export const DROP = 0;
/** No node: packets go on along the feature arc. VPP keeps 16 bits. */
export const GO_ON = 0xffff;

/** A classifier table, whoever made it. It compares the masked bytes of a packet, from its IP header on. */
export interface Classifier {
  readonly index: number;
  /** Where a packet goes on that fits no session; NO_TABLE: out of the chain. */
  readonly next: number;
  /**
   * The node behind a miss. Any number that is not one of VPP's few has a packet go on, so that ours tell our tables from the
   * moment that they exist: VPP marks nothing with an owner.
   */
  readonly mark: number;
  /** In hex; null: it skips the beginning of packets, as none of ours does. */
  readonly mask: string | null;
}

export async function readClassifiers(vpp: Vpp): Promise<readonly Classifier[]> {
  const { ids } = await vpp.call('classify_table_ids', {});
  const tables = await Promise.all(ids.map((id) => readClassifier(vpp, id)));
  return tables.filter((table) => table !== undefined);
}

async function readClassifier(vpp: Vpp, index: number): Promise<Classifier | undefined> {
  try {
    const info = await vpp.call('classify_table_info', { table_id: index });
    return {
      index,
      next: info.next_table_index,
      mark: info.miss_next_index,
      mask: info.skip_n_vectors === 0 ? hexOf(info.mask) : null,
    };
  } catch (error) {
    if (error instanceof VppRetvalError && error.retval === NO_SUCH_TABLE) return undefined;
    throw error;
  }
}

/** What a table of ours should be. */
export interface ClassifierForm {
  readonly mark: number;
  readonly mask: Uint8Array;
  readonly buckets: number;
  /** Bytes of its heap; VPP dies when sessions do not fit. Default 2 MB. */
  readonly memory?: number;
}

/** The first of these tables that has the form, made when there is none, with what it should lead to. Returns its index. */
export async function layClassifier(
  vpp: Vpp,
  tables: readonly Classifier[],
  form: ClassifierForm,
  next: number,
): Promise<{ readonly index: number; readonly link: () => Promise<void> }> {
  const present = tables.find((table) => hasForm(table, form));
  const addition = {
    is_add: true,
    del_chain: false,
    nbuckets: form.buckets,
    ...(form.memory !== undefined && { memory_size: form.memory }),
    match_n_vectors: form.mask.length / VECTOR_BYTES,
    next_table_index: next,
    miss_next_index: form.mark,
    current_data_flag: FROM_IP_HEADER,
    mask: form.mask,
  };
  if (present === undefined) {
    const { new_table_index: index } = await vpp.call('classify_add_del_table', addition);
    return { index, link: () => Promise.resolve() };
  }
  const { index } = present;
  const link = async (): Promise<void> => {
    // Of a table that exists, this changes the next one.
    if (present.next !== next) await vpp.call('classify_add_del_table', { ...addition, table_index: index });
  };
  return { index, link };
}

export function hasForm(table: Classifier, { mark, mask }: Pick<ClassifierForm, 'mark' | 'mask'>): boolean {
  return table.mark === mark && table.mask === hexOf(mask);
}

/** Of a table that no interface and no other table leads to: VPP asks nobody, and dies of the next packet otherwise. */
export async function removeClassifier(vpp: Vpp, index: number): Promise<void> {
  await vpp.call('classify_add_del_table', {
    is_add: false,
    del_chain: false,
    table_index: index,
    mask: new Uint8Array(VECTOR_BYTES),
  });
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
