/** What `npm run fuzz` was asked for; a short run with a fixed seed when the tests run by themselves. */
export interface FuzzSettings {
  readonly seed: number;
  /** Undefined: as many as the suite runs in CI. */
  readonly cases: number | undefined;
  /** This case alone, to replay it. */
  readonly only: number | undefined;
  /** The campaign that is wanted; undefined: all. */
  readonly campaign: string | undefined;
}

export const fuzzSettings: FuzzSettings = {
  seed: number('FUZZ_SEED') ?? 1,
  cases: number('FUZZ_CASES'),
  only: number('FUZZ_CASE'),
  campaign: process.env['FUZZ_ONLY'],
};

function number(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is "${text}": give a whole number.`);
  return value;
}

/** A file with several campaigns runs those alone that were asked for. */
export function isWanted(campaign: string): boolean {
  return fuzzSettings.campaign === undefined || fuzzSettings.campaign === campaign;
}
