import { wholeObject, type Schema } from '../schema/schema.js';
import type { Column, ResourceType } from './resource-type.js';

const OPEN: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const AGE: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

function listOf(keys: readonly string[]): Schema {
  return { type: 'array', items: OPEN, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
}

function open(properties: Readonly<Record<string, Schema>>): Schema {
  return { ...OPEN, properties };
}

const conditions = listOf(['type']);
/** What a merge must know of the fields; the other fields are taken as they come. */
const POD = open({
  spec: open({ containers: listOf(['name']), initContainers: listOf(['name']), volumes: listOf(['name']) }),
  status: open({ conditions, podIPs: listOf(['ip']) }),
});
const NODE = open({
  spec: open({ podCIDRs: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' } }),
  status: open({ conditions, addresses: listOf(['type', 'address']) }),
});
const SERVICE = open({
  spec: open({ ports: listOf(['port', 'protocol']), selector: { ...OPEN, 'x-kubernetes-map-type': 'atomic' } }),
  status: open({ conditions }),
});
const WITH_CONDITIONS = open({ status: open({ conditions }) });

const text: Schema = { type: 'string' };
const CRD_SPEC: Schema = {
  ...open({
    group: text,
    scope: text,
    names: { ...open({ plural: text, kind: text }), required: ['plural', 'kind'] },
    versions: {
      ...listOf(['name']),
      items: {
        ...open({
          name: text,
          served: { type: 'boolean' },
          storage: { type: 'boolean' },
          schema: open({ openAPIV3Schema: OPEN }),
        }),
        required: ['name', 'served', 'storage'],
      },
    },
  }),
  required: ['group', 'scope', 'names', 'versions'],
};

interface Builtin {
  readonly group?: string;
  readonly version?: string;
  readonly plural: string;
  readonly kind: string;
  readonly shortNames?: readonly string[];
  readonly namespaced: boolean;
  readonly hasStatus?: boolean;
  readonly countsGenerations?: boolean;
  readonly columns?: readonly Column[];
  readonly selectableFields?: readonly string[];
  readonly schema?: Schema;
}

function column(name: string, jsonPath: string, type = 'string'): Column {
  return { name, type, jsonPath };
}

const EVENT_FIELDS = ['reason', 'type', 'source', 'reportingComponent'];
const INVOLVED = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

const BUILTINS: readonly Builtin[] = [
  {
    ...{ plural: 'namespaces', kind: 'Namespace', shortNames: ['ns'], namespaced: false, hasStatus: true },
    ...{
      schema: WITH_CONDITIONS,
      selectableFields: ['status.phase'],
      columns: [column('Status', '.status.phase'), AGE],
    },
  },
  {
    ...{ plural: 'nodes', kind: 'Node', shortNames: ['no'], namespaced: false, hasStatus: true, schema: NODE },
    selectableFields: ['spec.unschedulable'],
    columns: [column('Ready', '.status.conditions[?(@.type=="Ready")].status'), AGE],
  },
  {
    ...{ plural: 'pods', kind: 'Pod', shortNames: ['po'], namespaced: true, hasStatus: true, schema: POD },
    selectableFields: ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'status.phase', 'status.podIP'],
    columns: [column('Status', '.status.phase'), column('IP', '.status.podIP'), column('Node', '.spec.nodeName'), AGE],
  },
  { plural: 'configmaps', kind: 'ConfigMap', shortNames: ['cm'], namespaced: true },
  {
    plural: 'secrets',
    kind: 'Secret',
    namespaced: true,
    selectableFields: ['type'],
    columns: [column('Type', '.type'), AGE],
  },
  {
    ...{ plural: 'services', kind: 'Service', shortNames: ['svc'], namespaced: true, hasStatus: true, schema: SERVICE },
    columns: [column('Type', '.spec.type'), column('Cluster-IP', '.spec.clusterIP'), AGE],
  },
  { plural: 'serviceaccounts', kind: 'ServiceAccount', shortNames: ['sa'], namespaced: true },
  {
    ...{ plural: 'events', kind: 'Event', shortNames: ['ev'], namespaced: true },
    selectableFields: [...EVENT_FIELDS, ...INVOLVED.map((field) => `involvedObject.${field}`)],
    columns: [
      column('Last Seen', '.lastTimestamp', 'date'),
      ...[column('Type', '.type'), column('Reason', '.reason'), column('Object', '.involvedObject.name')],
      column('Message', '.message'),
    ],
  },
  {
    ...{ group: 'events.k8s.io', plural: 'events', kind: 'Event', shortNames: ['ev'], namespaced: true },
    selectableFields: ['reason', 'type', 'reportingController', ...INVOLVED.map((field) => `regarding.${field}`)],
    columns: [
      column('Last Seen', '.eventTime', 'date'),
      ...[column('Type', '.type'), column('Reason', '.reason'), column('Object', '.regarding.name')],
      column('Message', '.note'),
    ],
  },
  {
    ...{ group: 'coordination.k8s.io', plural: 'leases', kind: 'Lease', namespaced: true },
    columns: [column('Holder', '.spec.holderIdentity'), AGE],
  },
  {
    ...{ group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions', kind: 'CustomResourceDefinition' },
    ...{ shortNames: ['crd', 'crds'], namespaced: false, hasStatus: true, countsGenerations: true },
    schema: { ...open({ spec: CRD_SPEC, status: open({ conditions }) }), required: ['spec'] },
    columns: [{ name: 'Created At', type: 'string', jsonPath: '.metadata.creationTimestamp' }],
  },
];

/** The kinds that every server of Kubernetes has, as far as they are served here. */
export const builtinResources: readonly ResourceType[] = BUILTINS.map(
  ({ group = '', version = 'v1', plural, kind, schema = OPEN, ...rest }) => ({
    ...{ group, version, plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
    ...{ shortNames: rest.shortNames ?? [], categories: [], namespaced: rest.namespaced },
    ...{ hasStatus: rest.hasStatus ?? false, columns: rest.columns ?? [AGE] },
    ...{ selectableFields: rest.selectableFields ?? [], schema: wholeObject(schema), custom: false },
    ...{ countsGenerations: rest.countsGenerations ?? false, storageVersion: version },
  }),
);
