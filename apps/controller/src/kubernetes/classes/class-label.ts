import { maxUint32 } from '@waymark/http-contract';

/** On a namespace: the service class of its pods. On a pod: its own, which counts more; empty for none. */
export const classLabel = 'waymark.dev/color';

export type LabelledClass =
  | { readonly kind: 'color'; readonly color: number }
  /** `value`: null when there is no label. */
  | { readonly kind: 'none'; readonly value: '' | null }
  | { readonly kind: 'invalid'; readonly value: string };

export function labelledClass(labels: Readonly<Record<string, unknown>> | undefined): LabelledClass {
  const value = labels?.[classLabel];
  if (value === undefined || value === null) return { kind: 'none', value: null };
  if (value === '') return { kind: 'none', value };
  const color = typeof value === 'string' && /^[1-9][0-9]{0,9}$/.test(value) ? Number(value) : 0;
  if (color >= 1 && color <= maxUint32) return { kind: 'color', color };
  return { kind: 'invalid', value: typeof value === 'string' ? value : JSON.stringify(value) };
}

export function refusedLabel(value: string): string {
  return `its label ${classLabel} is "${value}", which is no color: give a whole number from 1 to ${maxUint32}`;
}
