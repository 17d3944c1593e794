import { CRD_CLEANUP, CRD_GROUP } from '../crd/crd.js';
import { isJsonObject, type KubeObject } from '../model/kube-object.js';

/** A new object with what the server itself adds to those of its kind. */
export function initial(draft: KubeObject): KubeObject {
  const { metadata } = draft;
  if (draft.kind === 'Namespace' && draft.apiVersion === 'v1') {
    const labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
    return {
      ...draft,
      metadata: { ...metadata, labels },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    };
  }
  if (draft.apiVersion === `${CRD_GROUP}/v1`) {
    const { spec } = draft;
    if (!isJsonObject(spec) || !isJsonObject(spec['names'])) return draft;
    const { kind } = spec['names'];
    const named = typeof kind === 'string' ? { singular: kind.toLowerCase(), listKind: `${kind}List` } : {};
    return {
      ...draft,
      metadata: { ...metadata, finalizers: [...(metadata.finalizers ?? []), CRD_CLEANUP] },
      spec: { conversion: { strategy: 'None' }, ...spec, names: { ...named, ...spec['names'] } },
    };
  }
  return draft;
}
