/** A rule as `ip -N -j -d rule show` prints it. */
export interface KernelRule {
  readonly preference: number;
  readonly protocol: number;
  /** null: without one, or for every address. With a length always. */
  readonly from: string | null;
  readonly to: string | null;
  /** null: it leads to none. */
  readonly table: number | null;
  readonly fields: Readonly<Record<string, unknown>>;
}
