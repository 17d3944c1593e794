import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { apiVersion, customResourceDefinition, customResourceKinds } from '@waymark/kubernetes-resources';
import { startApiServer, type ApiServer } from '@waymark/kubernetes-stand-in';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventHub } from '../../event-hub.js';
import type { MeshIntent, MeshView } from '../../model/sr-policy.js';
import { eventually } from '../../testing/eventually.js';
import { ApiClient } from '../api-client.js';
import { ObjectController, type ObjectControllerOptions } from './object-controller.js';

const TOTAL = 200_000;
const intent: MeshIntent = {
  id: 'gold',
  color: 200,
  selector: { all: true },
  template: {
    candidatePaths: [
      { discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } },
    ],
    fallback: 'drop',
  },
  overrides: [],
};

describe('the objects of a cluster', () => {
  let server: ApiServer;
  let client: ApiClient;
  let events: EventHub;
  let controller: ObjectController;
  let leading: AbortController;
  let counted: number;

  beforeEach(async () => {
    server = await startApiServer({ definitions: customResourceKinds.map(customResourceDefinition) });
    const directory = mkdtempSync(join(tmpdir(), 'waymark-objects-'));
    writeFileSync(join(directory, 'config'), server.kubeconfig);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(join(directory, 'config'));
    rmSync(directory, { recursive: true });
    client = new ApiClient(kubeConfig);
    events = new EventHub();
    leading = new AbortController();
    counted = 0;
    const { id } = intent;
    // A mesh whose policies are being computed: whenever they are counted, more are up.
    const view = (): Promise<MeshView> => {
      const policies = { total: TOTAL, up: ++counted, fallback: 0, down: 0, installed: 0 };
      return Promise.resolve({ id, version: 1, intent, owner: null, policies });
    };
    const options = {
      ...{ cluster: 'paris', client, events, log: pino({ level: 'silent' }) },
      policies: { mesh: view, createMesh: view },
      topology: { onRevision: () => () => undefined },
      possessionsOf: () => Promise.resolve(new Map()),
    };
    controller = new ObjectController(options as unknown as ObjectControllerOptions);
    controller.start();
  });

  afterEach(async () => {
    leading.abort();
    await controller.stop();
    client.close();
    await server.close();
  });

  it('are told of policies that change all the time once a second, and not again because of what they were told', async () => {
    const leads = controller.lead(leading.signal);
    const { color, selector, template } = intent;
    const candidatePaths = template.candidatePaths;
    server.create({
      ...{ apiVersion, kind: 'PolicyMesh', metadata: { name: 'gold' } },
      spec: { color, selector, candidatePaths, fallback: 'drop' },
    });
    const patches = () => server.calls.count('patch policymeshes.waymark.dev/status');
    // Our finalizer is a change of the object, which is looked at anew at once.
    await eventually(() => {
      expect(patches()).toBeGreaterThanOrEqual(2);
    });
    const before = patches();
    const begun = performance.now();
    const timer = setInterval(() => {
      const data = { revision: 1, policyId: 'a:200:b', status: 'up', generation: 1, cause: '' } as const;
      events.emit({ type: 'policy.state', at: '', data });
    }, 10);
    try {
      await eventually(() => {
        expect(patches()).toBeGreaterThanOrEqual(before + 3);
      }, 30_000);
    } finally {
      clearInterval(timer);
    }
    // Three more, a second apart; whatever the machine does, they do not come sooner.
    expect(performance.now() - begun).toBeGreaterThan(1_500);
    leading.abort();
    await leads;
  });

  it('are told in the end, whatever is answered first, and one that cannot be read is no harm to the others', async () => {
    const leads = controller.lead(leading.signal);
    const status = (name: string) =>
      (server.find(apiVersion, 'PathProfile', name) as { status?: { conditions: unknown } } | undefined)?.status;
    const profiles = { resource: 'pathprofiles' };
    await eventually(() => server.faults.sendToWatches('', profiles) > 0);
    const odd = {
      metadata: { name: 'odd', resourceVersion: '1' },
      spec: {},
      status: { conditions: { Accepted: true } },
    };
    server.faults.sendToWatches(`${JSON.stringify({ type: 'ADDED', object: odd })}\n`, profiles);
    await eventually(() => {
      expect(controller.trouble).toContain('an object odd that cannot be read (its status is none)');
    });
    // Something in front of the server that says 200 to everything
    server.faults.arm({ kind: 'nonsense', body: '{}' }, { verb: 'patch', ...profiles }, 1);
    const spec = { candidatePaths: intent.template.candidatePaths, fallback: 'drop' };
    server.create({ apiVersion, kind: 'PathProfile', metadata: { name: 'fast' }, spec });
    await eventually(() => {
      expect(status('fast')).toMatchObject({ conditions: [{ type: 'Accepted', status: 'True' }] });
    });
    leading.abort();
    await leads;
  });
});
