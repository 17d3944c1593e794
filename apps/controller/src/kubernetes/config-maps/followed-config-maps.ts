import { srv6ConfigNamespace, isSrv6Config } from '@waymark/kubernetes-resources';
import type { Logger } from 'pino';
import type { ApiClient } from '../api-client.js';
import { WatchedList, type WatchTiming } from '../watched-list.js';
import { WorkLoop } from '../work-loop.js';
import { configMapPath, type ConfigMapObject } from './config-map-object.js';

export interface FollowedConfigMapsOptions {
  readonly client: ApiClient;
  readonly log: Logger;
  readonly timing?: Partial<WatchTiming>;
  /** The name of a ConfigMap, or whatever else was put into the loop. */
  readonly work: (key: string) => Promise<void>;
  /** They were all listed anew. */
  readonly onList: () => void;
}

/** The paper's ConfigMaps of one cluster, and a loop through which the names of those that change go. */
export class FollowedConfigMaps {
  readonly loop: WorkLoop;
  readonly #list: WatchedList;
  #trouble: string | null = null;

  constructor({ client, log, timing, work, onList }: FollowedConfigMapsOptions) {
    this.loop = new WorkLoop({
      work,
      isReady: () => this.#list.objects !== undefined,
      onFailure: (key, error) => {
        log.warn({ err: error, configMap: key }, 'a ConfigMap of a cluster could not be served; tried again');
      },
    });
    this.#list = new WatchedList({
      client,
      path: configMapPath(),
      onChange: (object) => {
        if (object === undefined) onList();
        else if (isSrv6Config(object.metadata.name)) this.loop.add(object.metadata.name);
      },
      onTrouble: (trouble) => {
        this.#trouble = trouble?.message ?? null;
      },
      ...(timing === undefined ? {} : { timing }),
    });
  }

  /** Why they may be out of date, or cannot be followed at all; null: nothing is wrong. */
  get trouble(): string | null {
    return this.#trouble;
  }

  names(): readonly string[] {
    return [...(this.#list.objects ?? [])].map(({ metadata }) => metadata.name).filter(isSrv6Config);
  }

  get(name: string): ConfigMapObject | undefined {
    return this.#list.get(name, srv6ConfigNamespace);
  }

  start(): void {
    this.#list.start();
  }

  stop(): Promise<void> {
    return this.#list.stop();
  }
}
