/** A text from outside, which may be anything, as schemas of texts for people have it. */
export function printable(text: string, maxLength: number): string {
  // control characters, and halves of surrogate pairs that the cut or whoever sent it left behind
  return text.slice(0, maxLength).replaceAll(/[\p{Cc}\p{Cs}]/gu, '\ufffd');
}
