/** Bytes of a message's type and length. */
const HEADER = 5;

/**
 * For relayPostgres: makes a server seem to have `lc_messages` of another language: severities of errors arrive as FEHLER.
 * (The locales themselves are on few machines.)
 */
export function translateErrors(): (answer: Buffer) => Buffer {
  let pending = Buffer.alloc(0);
  return (answer) => {
    pending = Buffer.concat([pending, answer]);
    const whole: Buffer[] = [];
    for (let size = sizeOf(pending); size !== undefined && pending.length >= size; size = sizeOf(pending)) {
      whole.push(translated(pending.subarray(0, size)));
      pending = pending.subarray(size);
    }
    return Buffer.concat(whole);
  };
}

/** Of the first message: PostgreSQL documentation, section 55.7. */
function sizeOf(bytes: Buffer): number | undefined {
  return bytes.length < HEADER ? undefined : 1 + bytes.readInt32BE(1);
}

/** An ErrorResponse with another severity (field S); the one that is never translated (field V) stays. */
function translated(message: Buffer): Buffer {
  if (message[0] !== 'E'.charCodeAt(0)) return message;
  const fields = Buffer.from(
    message
      .subarray(HEADER)
      .toString('latin1')
      .replace(/^SERROR/, 'SFEHLER'),
    'latin1',
  );
  const header = Buffer.from(message.subarray(0, HEADER));
  header.writeInt32BE(fields.length + HEADER - 1, 1);
  return Buffer.concat([header, fields]);
}
