import type { ObjectBody } from './model/kube-object.js';
import type { Schema } from './schema/schema.js';

const GROUP = 'crd.projectcalico.org';
const text: Schema = { type: 'string' };
const texts: Schema = { type: 'array', items: text };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer' };

function definition(plural: string, kind: string, spec: Schema): ObjectBody & { apiVersion: string; kind: string } {
  const openAPIV3Schema: Schema = { type: 'object', properties: { spec } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Cluster',
      names: { plural, kind },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

/** Calico's definitions of what says which node serves which pod prefix, as its manifests install them. */
export const calicoDefinitions = [
  definition('blockaffinities', 'BlockAffinity', {
    type: 'object',
    required: ['cidr', 'deleted', 'node', 'state'],
    properties: { cidr: text, deleted: text, node: text, state: text, type: text },
  }),
  definition('ippools', 'IPPool', {
    type: 'object',
    required: ['cidr'],
    properties: {
      ...{
        cidr: text,
        blockSize: count,
        nodeSelector: text,
        namespaceSelector: text,
        allowedUses: texts,
        assignmentMode: text,
      },
      ...{
        disabled: flag,
        disableBGPExport: flag,
        natOutgoing: flag,
        'nat-outgoing': flag,
        ipipMode: text,
        vxlanMode: text,
      },
      ipip: { type: 'object', properties: { enabled: flag, mode: text } },
    },
  }),
  definition('ipamblocks', 'IPAMBlock', {
    type: 'object',
    required: ['allocations', 'attributes', 'cidr', 'strictAffinity', 'unallocated'],
    properties: {
      affinity: text,
      affinityClaimTime: text,
      allocations: { type: 'array', items: { type: 'integer', nullable: true } },
      attributes: {
        type: 'array',
        items: {
          type: 'object',
          properties: { handle_id: text, secondary: { type: 'object', additionalProperties: text } },
        },
      },
      cidr: text,
      deleted: flag,
      sequenceNumber: { type: 'integer', format: 'int64', default: 0 },
      sequenceNumberForAllocation: { type: 'object', additionalProperties: { type: 'integer', format: 'int64' } },
      strictAffinity: flag,
      unallocated: { type: 'array', items: count },
    },
  }),
];
