/** What kills VPP. `fault-injection` is a crash that a test asked for. */
export type CrashReason =
  | 'empty-segment-list'
  | 'steering-to-missing-table'
  | 'prefix-too-long'
  | 'localsid-behavior-without-plugin'
  | 'localsid-dump-of-missing-table'
  | 'table-vanished-under-its-route'
  | 'classifier-vanished-under-its-interface'
  | 'classifier-out-of-memory'
  | 'fault-injection';

/** Thrown by the machine in place of the segmentation fault. */
export class VppCrash extends Error {
  readonly reason: CrashReason;

  constructor(reason: CrashReason) {
    super(`VPP crashed: ${reason}`);
    this.name = 'VppCrash';
    this.reason = reason;
  }
}
