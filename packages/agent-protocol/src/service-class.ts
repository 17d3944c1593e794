import { ServiceClass } from './generated/waymark/agent/v1/agent.js';
import { isClassId } from './identifiers.js';
import { MAX_BODY_BYTES } from './limits.js';
import { decoding, ProtocolError } from './protocol-error.js';
import { equalBytes } from './state-hash.js';

/**
 * The bytes of a service class: the same sources give the same bytes, whatever their order. Throws ProtocolError
 * (`malformed`) for a class that an agent would refuse.
 */
export function encodeServiceClass(some: ServiceClass): Uint8Array {
  const canonical = { ...some, sources: [...some.sources].sort((a, b) => Buffer.compare(a, b)) };
  checkClass(canonical);
  const bytes = ServiceClass.encode(canonical).finish();
  if (bytes.length > MAX_BODY_BYTES) {
    throw malformed(`class ${some.classId} takes ${bytes.length} bytes; ${MAX_BODY_BYTES} are allowed`);
  }
  return bytes;
}

/** Reads the bytes of a service class; takes only what encodeServiceClass writes. Throws ProtocolError (`malformed`). */
export function decodeServiceClass(bytes: Uint8Array): ServiceClass {
  const some = decoding('ServiceClass', () => ServiceClass.decode(bytes));
  if (!equalBytes(bytes, encodeServiceClass(some))) throw malformed('a service class is not in its canonical encoding');
  return some;
}

function checkClass({ classId, color, sources }: ServiceClass): void {
  if (!isClassId(classId)) throw malformed(`"${classId}" is not a class id`);
  if (classId.split(':')[1] !== String(color)) throw malformed('the color is not that of the class id');
  if (sources.length === 0) throw malformed('a service class has no sources');
  sources.forEach((source, index) => {
    if (source.length !== 4 && source.length !== 16) throw malformed('a source is not an address');
    const before = sources[index - 1];
    if (before !== undefined && equalBytes(before, source)) throw malformed('a service class names a source twice');
  });
}

function malformed(message: string): ProtocolError {
  return new ProtocolError('malformed', message);
}
