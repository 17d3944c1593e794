const REFUSALS: readonly (readonly [code: RegExp, meaning: string])[] = [
  [/^WRONGPASS/, 'Redis refuses the user or the password of REDIS_URL'],
  [/^NOAUTH/, 'Redis wants a user and a password, and REDIS_URL has none'],
  [/^NOPERM/, "Redis's ACL does not let the user of REDIS_URL do that"],
];

/**
 * What an error of the Redis client says, in words for operators, and nothing else: the client's own errors carry the
 * command that failed, which at the beginning of a connection is the password.
 */
export function redisTrouble(error: Error): Error {
  const { code } = error as Error & { readonly code?: unknown };
  const said = error.message === '' && typeof code === 'string' ? code : error.message;
  const meaning = REFUSALS.find(([pattern]) => pattern.test(said))?.[1];
  return new Error(meaning === undefined ? said : `${meaning}: ${said}`);
}

/** Whether Redis answered, and said no; anything else is a matter of the connection. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && REFUSALS.some(([pattern]) => pattern.test(error.message));
}
