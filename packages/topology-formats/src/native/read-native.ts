import type { TopologyDocument } from '../topology-document.js';

export function readNative(text: string): TopologyDocument {
  throw new Error(text);
}
