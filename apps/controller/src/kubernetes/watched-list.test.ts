import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  openApiServer,
  type TestApiServer,
} from '../../../../packages/kubernetes-stand-in/src/testing/test-api-server.js';
import { eventually } from '../testing/eventually.js';
import { ApiClient, type KubernetesError } from './api-client.js';
import { WatchedList, type KubernetesObject, type WatchTiming } from './watched-list.js';

const timing: WatchTiming = { watchMs: 60_000, stallMs: 1_000, relistMs: 60_000, firstRetryMs: 10, maxRetryMs: 50 };
const nodes = { resource: 'nodes' };

describe('a watched list', () => {
  let server: TestApiServer;
  let client: ApiClient;
  let list: WatchedList;
  let troubles: (KubernetesError | null)[];

  const node = (name: string, labels = {}) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
  const names = (): readonly string[] => [...(list.objects ?? [])].map(({ metadata }) => metadata.name).sort();
  const parts = (object: KubernetesObject): KubernetesObject => {
    const { name, labels = {} } = object.metadata;
    if ([name, labels['zone']].includes('unreadable')) throw new TypeError('no');
    return object;
  };
  const start = (changed: Partial<WatchTiming> = {}) => {
    list = new WatchedList({
      ...{ client, path: '/api/v1/nodes', parts, onChange: () => undefined, timing: { ...timing, ...changed } },
      onTrouble: (trouble) => troubles.push(trouble),
    });
    list.start();
  };
  /** That is what it holds, and it watches. */
  const settled = (...expected: readonly string[]) =>
    eventually(() => {
      expect(names()).toEqual(expected);
      expect(server.watches).toBe(1);
    });

  beforeEach(async () => {
    server = await openApiServer();
    const kubeConfig = new KubeConfig();
    const directory = mkdtempSync(join(tmpdir(), 'waymark-kube-'));
    writeFileSync(join(directory, 'config'), server.kubeconfig);
    kubeConfig.loadFromFile(join(directory, 'config'));
    rmSync(directory, { recursive: true });
    client = new ApiClient(kubeConfig);
    troubles = [];
    await server.create(node('a'));
    await server.create(node('b'));
  });

  afterEach(async () => {
    await list.stop();
    client.close();
    await server.close();
  });

  it('follows what is there, page by page, and what changes', async () => {
    await Promise.all(Array.from({ length: 1_200 }, async (_, i) => server.create(node(`n${i}`))));
    start();
    await eventually(() => {
      expect(names()).toHaveLength(1_202);
    });
    expect(server.calls.count('list nodes')).toBe(3);
    await server.create(node('c'));
    await server.replace(node('a', { zone: 'x' }));
    await server.delete('v1', 'Node', 'b');
    await eventually(() => {
      expect(list.get('a')).toMatchObject({ metadata: { labels: { zone: 'x' } } });
      expect(list.get('b')).toBeUndefined();
      expect(list.get('c')).toBeDefined();
    });
    expect(troubles).toEqual([]);
  });

  it('goes on where it was when watches are dropped', async () => {
    start();
    await settled('a', 'b');
    server.faults.dropWatches();
    await server.create(node('c'));
    await settled('a', 'b', 'c');
    await eventually(() => {
      expect(troubles.at(-1)).toBeNull();
    });
  });

  it('keeps everything while the server is down, and catches up', async () => {
    start();
    await settled('a', 'b');
    await server.faults.goDown();
    await server.delete('v1', 'Node', 'a');
    await eventually(() => {
      expect(troubles.at(-1)?.status).toBeNull();
    });
    expect(names()).toEqual(['a', 'b']);
    await server.faults.comeUp();
    await settled('b');
    expect(troubles.at(-1)).toBeNull();
  });

  it.each([
    ['an empty object', '{}'],
    ['null', 'null'],
    ['half a list', '{"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{'],
    ['items without names', '{"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[{}]}'],
    ['no items', '{"kind":"NodeList","metadata":{"resourceVersion":"1"}}'],
    [
      'the same page again and again',
      '{"kind":"NodeList","metadata":{"resourceVersion":"1","continue":"x"},"items":[]}',
    ],
    ['a page for people', '<html>Sign in</html>'],
  ])('keeps everything when it is answered %s', async (_, body) => {
    start();
    await settled('a', 'b');
    server.faults.arm({ kind: 'nonsense', body }, { verb: 'list', ...nodes });
    server.faults.dropWatches();
    await eventually(() => {
      expect(troubles.at(-1)).not.toBeNull();
      expect(troubles.length).toBeGreaterThan(0);
    });
    expect(names()).toEqual(['a', 'b']);
    server.faults.clear();
    await server.delete('v1', 'Node', 'a');
    await settled('b');
  });

  it('keeps what an object said before it could not be read, and follows the others', async () => {
    await server.create(node('odd', { zone: 'x' }));
    start();
    await settled('a', 'b', 'odd');
    await server.replace(node('odd', { zone: 'unreadable' }));
    await server.create(node('unreadable'));
    await server.delete('v1', 'Node', 'a');
    await server.create(node('c'));
    await settled('b', 'c', 'odd');
    expect(list.get('odd')).toMatchObject({ metadata: { labels: { zone: 'x' } } });
    expect(troubles.at(-1)?.message).toContain('an object odd that cannot be read (no); what it said before stays');
    // The same when everything is listed anew.
    server.faults.expireWatches();
    await server.delete('v1', 'Node', 'b');
    await settled('c', 'odd');
    expect(troubles.at(-1)?.message).toContain('cannot be read');
    await server.replace(node('odd', { zone: 'y' }));
    await server.delete('v1', 'Node', 'unreadable');
    await eventually(() => {
      expect(list.get('odd')).toMatchObject({ metadata: { labels: { zone: 'y' } } });
      expect(troubles.at(-1)).toBeNull();
    });
  });

  it.each([
    ['a name that would be a path', { name: '../../secrets' }, 'its name is none'],
    ['a name with a control character', { name: 'n\u0000' }, 'its name is none'],
    ['finalizers that are none', { name: 'x', finalizers: 7 }, 'its finalizers is none'],
    ['labels of other types', { name: 'x', labels: { zone: { a: 1 } } }, 'its labels is none'],
    ['no generation', { name: 'x', generation: '7' }, 'its generation is none'],
  ])('does not take %s', async (_, metadata, why) => {
    start();
    await settled('a', 'b');
    const event = { type: 'ADDED', object: { metadata: { resourceVersion: '1', ...metadata } } };
    server.faults.sendToWatches(`${JSON.stringify(event)}\n`, nodes);
    await eventually(() => {
      expect(troubles.at(-1)?.message).toContain(why);
    });
    expect(names()).toEqual(['a', 'b']);
    server.faults.expireWatches();
    await eventually(() => {
      expect(troubles.at(-1)).toBeNull();
    });
    expect(names()).toEqual(['a', 'b']);
  });

  it('does not read an event without end', async () => {
    start();
    await settled('a', 'b');
    server.faults.sendToWatches(' '.repeat(17 * 1024 * 1024), nodes);
    await eventually(() => {
      expect(troubles.some((trouble) => trouble?.message.includes('is longer than'))).toBe(true);
    });
    await server.create(node('c'));
    await settled('a', 'b', 'c');
  });

  it('lists anew when its version is gone, without alarm', async () => {
    start();
    await settled('a', 'b');
    await server.faults.goDown();
    await server.create(node('c'));
    server.faults.compact();
    await server.faults.comeUp();
    await settled('a', 'b', 'c');
  });

  it('ends a watch that has stalled', async () => {
    start({ watchMs: 500, stallMs: 700 });
    await settled('a', 'b');
    server.faults.stallWatches(nodes);
    await server.create(node('c'));
    await eventually(() => {
      expect(troubles.some((trouble) => trouble?.message.includes('stalled'))).toBe(true);
    });
    await settled('a', 'b', 'c');
  });

  it('lists anew from time to time, whatever the watch says', async () => {
    start({ watchMs: 1_000, relistMs: 100 });
    await settled('a', 'b');
    await eventually(() => {
      expect(server.calls.count('list nodes')).toBeGreaterThan(2);
    });
  });

  it('says what it may not read', async () => {
    const kubeConfig = new KubeConfig();
    const directory = mkdtempSync(join(tmpdir(), 'waymark-kube-'));
    writeFileSync(join(directory, 'config'), await server.addUser('nobody', []));
    kubeConfig.loadFromFile(join(directory, 'config'));
    rmSync(directory, { recursive: true });
    client.close();
    client = new ApiClient(kubeConfig);
    start();
    await eventually(() => {
      expect(troubles.at(-1)).toMatchObject({ status: 403, reason: 'Forbidden' });
    });
  });
});
