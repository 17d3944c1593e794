import { generateSigningKey, type SigningKey } from '@waymark/agent-protocol';
import type { Database } from '../storage/database.js';

/** What tells this installation from others: all its controllers share it through the database. */
export interface ControllerIdentity {
  /** UUID, part of every channel name. */
  readonly instance: string;
  readonly signingKey: SigningKey;
}

/** Reads the identity; the first controller of a new database makes the signing key. */
export async function loadIdentity(db: Database): Promise<ControllerIdentity> {
  const { privateKey, publicKey } = generateSigningKey();
  await db
    .insertInto('signing_key')
    .values({ private_key: Buffer.from(privateKey), public_key: Buffer.from(publicKey) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const key = await db.selectFrom('signing_key').selectAll().executeTakeFirstOrThrow();
  const { instance } = await db.selectFrom('head').select('instance').executeTakeFirstOrThrow();
  return { instance, signingKey: { privateKey: key.private_key, publicKey: key.public_key } };
}
