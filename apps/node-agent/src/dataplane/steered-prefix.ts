import type { ClassSource, SteeredPrefix } from './port.js';

/** Its name in messages, and what it is looked up with: the same prefix may be steered for everybody and in any class. */
export function steeredText({ prefix, color }: SteeredPrefix): string {
  return color === null ? prefix : `${prefix} in class ${color}`;
}

export function sourceText({ address, color }: ClassSource): string {
  return `${address} in class ${color}`;
}
