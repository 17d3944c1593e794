import type { Static } from 'typebox';
import type * as contract from '@waymark/http-contract';
import { describe, expectTypeOf, it } from 'vitest';
import type { ApiKeyView, IssuedApiKey } from '../model/access.js';
import type { AuditEntry } from '../model/audit.js';
import type { WaymarkEvents } from '../model/events.js';
import type { BatchItem, PathBatch } from '../model/path-batch.js';
import type { ControllersView } from '../model/controllers.js';
import type { JobView } from '../model/jobs.js';
import type { ClusterHostsView } from '../model/kubernetes.js';
import type { AgentView, DataPlaneView } from '../model/agents.js';
import type { Health, ProposedChange } from '../model/ports.js';
import type { ServiceClassView } from '../model/service-class.js';
import type { DryRunResult, MeshIntent, MeshView, SrPolicyIntent, SrPolicyView } from '../model/sr-policy.js';
import type {
  ChangeEntry,
  ImportResult,
  LinkConstraints,
  LinkReservation,
  LinkSettings,
  LinkView,
  NodeConstraints,
  NodeView,
  OperatorSettings,
  PlannedSidsConfirmation,
  SourceBatch,
  SourceBatchResult,
  SourceView,
  TopologyHead,
} from '../model/topology.js';

type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

type Of<Schema extends keyof typeof contract> = DeepReadonly<Static<(typeof contract)[Schema]>>;
type DataOf<Type extends keyof WaymarkEvents> = DeepReadonly<Static<(typeof contract.eventSchemas)[Type]>>;

// Replies are checked by the compiler route by route; here each schema is held to its model type in both directions.
describe('the schemas and the model of the controller', () => {
  it('agree on the topology', () => {
    expectTypeOf<Of<'TopologyHead'>>().toEqualTypeOf<TopologyHead>();
    expectTypeOf<Of<'ImportResult'>>().toExtend<ImportResult>();
    expectTypeOf<ImportResult>().toExtend<Of<'ImportResult'>>();
    expectTypeOf<Of<'SidConfirmation'>>().toEqualTypeOf<PlannedSidsConfirmation>();
    expectTypeOf<Of<'ChangeEntry'>>().toEqualTypeOf<ChangeEntry>();
    expectTypeOf<Of<'NodeView'>>().toExtend<NodeView>();
    expectTypeOf<NodeView>().toExtend<Of<'NodeView'>>();
    type BookedLink = LinkView & { readonly reservation: LinkReservation };
    expectTypeOf<Of<'LinkView'>>().toExtend<BookedLink>();
    expectTypeOf<BookedLink>().toExtend<Of<'LinkView'>>();
  });

  it('agree on what operators set', () => {
    expectTypeOf<Of<'LinkConstraints'>>().toEqualTypeOf<LinkConstraints>();
    expectTypeOf<Of<'NodeConstraints'>>().toEqualTypeOf<NodeConstraints>();
    expectTypeOf<Of<'LinkSettings'>>().toEqualTypeOf<LinkSettings>();
    expectTypeOf<Of<'NodeSettings'>>().toEqualTypeOf<OperatorSettings<NodeConstraints>>();
  });

  it('agree on service classes', () => {
    expectTypeOf<Of<'ServiceClassView'>>().toExtend<ServiceClassView>();
    expectTypeOf<ServiceClassView>().toExtend<Of<'ServiceClassView'>>();
  });

  it('agree on sources', () => {
    expectTypeOf<Of<'SourceBatch'>>().toExtend<SourceBatch>();
    expectTypeOf<SourceBatch>().toExtend<Of<'SourceBatch'>>();
    expectTypeOf<Of<'SourceBatchResult'>>().toEqualTypeOf<SourceBatchResult>();
    expectTypeOf<Of<'SourceView'>>().toEqualTypeOf<SourceView>();
    expectTypeOf<Of<'ClusterList'>['items'][number]>().toExtend<ClusterHostsView>();
    expectTypeOf<ClusterHostsView>().toExtend<Of<'ClusterList'>['items'][number]>();
  });

  it('agree on SR policies and meshes', () => {
    expectTypeOf<Of<'SrPolicyIntent'>>().toExtend<SrPolicyIntent>();
    expectTypeOf<SrPolicyIntent>().toExtend<Of<'SrPolicyIntent'>>();
    expectTypeOf<Of<'SrPolicyView'>>().toExtend<SrPolicyView>();
    expectTypeOf<SrPolicyView>().toExtend<Of<'SrPolicyView'>>();
    expectTypeOf<Of<'MeshIntent'>>().toExtend<MeshIntent>();
    expectTypeOf<MeshIntent>().toExtend<Of<'MeshIntent'>>();
    expectTypeOf<Of<'MeshView'>>().toExtend<MeshView>();
    expectTypeOf<MeshView>().toExtend<Of<'MeshView'>>();
  });

  it('agree on batches of path computations', () => {
    expectTypeOf<Of<'PathBatch'>>().toExtend<PathBatch>();
    expectTypeOf<PathBatch>().toExtend<Of<'PathBatch'>>();
    expectTypeOf<Of<'BatchItem'>>().toExtend<BatchItem>();
    expectTypeOf<BatchItem>().toExtend<Of<'BatchItem'>>();
    expectTypeOf<Omit<Of<'PathBatchView'>, 'counts'>>().toExtend<Omit<JobView, 'counts'>>();
    expectTypeOf<Omit<JobView, 'counts'>>().toExtend<Omit<Of<'PathBatchView'>, 'counts'>>();
  });

  it('agree on dry-runs', () => {
    expectTypeOf<Of<'DryRunRequest'>['changes'][number]>().toExtend<ProposedChange>();
    expectTypeOf<ProposedChange>().toExtend<Of<'DryRunRequest'>['changes'][number]>();
    expectTypeOf<Of<'DryRunResult'>>().toExtend<DryRunResult>();
    expectTypeOf<DryRunResult>().toExtend<Of<'DryRunResult'>>();
  });

  it('agree on keys and the audit', () => {
    expectTypeOf<Of<'ApiKeyView'>>().toEqualTypeOf<ApiKeyView>();
    expectTypeOf<Of<'IssuedApiKey'>>().toEqualTypeOf<IssuedApiKey>();
    expectTypeOf<Of<'AuditEntry'>>().toExtend<AuditEntry>();
    expectTypeOf<AuditEntry>().toExtend<Of<'AuditEntry'>>();
  });

  it('agree on agents, health and events', () => {
    expectTypeOf<Of<'AgentView'>>().toEqualTypeOf<AgentView>();
    expectTypeOf<Of<'DataPlaneView'>>().toEqualTypeOf<DataPlaneView>();
    expectTypeOf<Of<'Health'>>().toEqualTypeOf<Health>();
    expectTypeOf<Of<'ControllerList'>>().toEqualTypeOf<ControllersView>();
    expectTypeOf<{ [Type in keyof WaymarkEvents]: DataOf<Type> }>().toEqualTypeOf<WaymarkEvents>();
  });
});
