import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { apiJsonText } from './api-json.js';
import type { Client } from './clients.js';
import { Clients } from './clients.js';
import { Dispatcher } from './dispatcher.js';
import { Faults } from './faults.js';
import { beginLife, historyOf } from './life.js';
import type { HistoryStep, Life, StartUp } from './life.js';
import { Listener } from './listener.js';
import { parseAddress } from './machine/address.js';
import type { CrashReason } from './machine/crash.js';
import { enter, forward } from './machine/forwarding.js';
import type { Forwarding } from './machine/forwarding.js';
import type { Interface, InterfaceCounters, InterfaceSpec } from './machine/interfaces.js';
import type { TableSpec } from './machine/machine.js';
import type { LocalsidCounters } from './machine/sr-localsids.js';
import { localsidsOf, policiesOf, steeringsOf, tablesOf } from './machine/view.js';
import type { LocalsidView, PolicyView, SteeringView, TableView } from './machine/view.js';
import type { MessageTableOptions } from './message-table.js';
import type { Counters, LoggedRequest } from './request-log.js';

export interface StandInOptions extends MessageTableOptions {
  /** Default: in a directory of its own, removed by stop(). */
  readonly socketPath?: string;
  /** Shuffles the message ids; the same seed gives the same ids. Default 1. */
  readonly seed?: number;
  /** Tables beside table 0 at every start. */
  readonly tables?: readonly TableSpec[];
  /** Interfaces at every start, from sw_if_index 1; default one Ethernet and one tun. local0 is always 0. */
  readonly interfaces?: readonly InterfaceSpec[];
  readonly version?: string;
  /** The definition files that get_api_json returns; default a few messages. */
  readonly apiJson?: readonly unknown[];
  /** Come back by itself so long after a crash; default: only by restart(). */
  readonly restartAfterMs?: number;
  /** False: keep no requests, so that memory stays flat under load; no log and no history then. Default true. */
  readonly keepsLog?: boolean;
}

export interface CrashRecord {
  readonly reason: CrashReason;
  /** The life that it ended. */
  readonly life: number;
  /** Name of the request that VPP died on. */
  readonly request: string;
}

const DEFAULT_INTERFACES: readonly InterfaceSpec[] = [
  { name: 'GigabitEthernet0/8/0', mac: '02:fe:00:00:00:01' },
  { name: 'tun0', deviceType: 'TUN', mtu: 1500 },
];

/** A VPP with its binary API on a unix socket. See the README for what it does and does not. */
export class VppStandIn {
  readonly socketPath: string;
  readonly faults = new Faults();
  readonly crashes: CrashRecord[] = [];
  readonly #ownDirectory: string | undefined;
  readonly #startUp: StartUp;
  readonly #restartAfterMs: number | undefined;
  readonly #keepsLog: boolean;
  readonly #listener: Listener;
  readonly #dispatcher: Dispatcher;
  #clients = new Clients();
  #life: Life;
  #restartTimer: NodeJS.Timeout | undefined;
  #isStalled = false;
  #crashWaiters: ((crash: CrashRecord) => void)[] = [];

  constructor(options: StandInOptions = {}) {
    this.#ownDirectory = options.socketPath === undefined ? mkdtempSync(join(tmpdir(), 'vpp-stand-in-')) : undefined;
    this.socketPath = options.socketPath ?? join(this.#ownDirectory ?? '', 'api.sock');
    this.#restartAfterMs = options.restartAfterMs;
    this.#startUp = {
      ...options,
      tables: options.tables ?? [],
      interfaces: options.interfaces ?? DEFAULT_INTERFACES,
      seed: options.seed ?? 1,
      identity: {
        version: options.version ?? '26.06-release',
        buildDate: '2026-06-24T12:00:00',
        apiJson: apiJsonText(options.apiJson),
        now: () => Date.now() / 1000,
      },
    };
    this.#life = beginLife(1, this.#startUp);
    this.#keepsLog = options.keepsLog ?? true;
    this.#dispatcher = new Dispatcher(this.faults, this.#keepsLog);
    this.#listener = new Listener(this.socketPath, (socket) => this.#accept(socket));
  }

  /** Opens the socket. */
  async start(): Promise<void> {
    await this.#listener.open();
  }

  /** Closes everything and removes the socket. */
  async stop(): Promise<void> {
    clearTimeout(this.#restartTimer);
    this.disconnectClients();
    await this.#listener.close('remove-socket');
    if (this.#ownDirectory !== undefined) rmSync(dirname(this.socketPath), { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Ends this life, if it has not crashed already, and begins the next: no state, other ids, all clients cut off. */
  async restart(): Promise<void> {
    clearTimeout(this.#restartTimer);
    if (this.isUp) this.#endLife();
    await this.#listener.close('leave-socket');
    await this.#listener.open();
  }

  /** False between a crash and the restart: connections are refused. */
  get isUp(): boolean {
    return this.#listener.isOpen;
  }

  /** Resolves at the next crash. */
  nextCrash(): Promise<CrashRecord> {
    return new Promise((resolve) => this.#crashWaiters.push(resolve));
  }

  /** Which life of VPP this is, from 1. */
  get life(): number {
    return this.#life.number;
  }

  get policies(): readonly PolicyView[] {
    return policiesOf(this.#life.machine);
  }

  get steerings(): readonly SteeringView[] {
    return steeringsOf(this.#life.machine);
  }

  get localsids(): readonly LocalsidView[] {
    return localsidsOf(this.#life.machine);
  }

  /** All tables, with the two that SR keeps for itself while it is in use. */
  get tables(): readonly TableView[] {
    return tablesOf(this.#life.machine);
  }

  /** Names that the connected clients gave in the handshake. */
  get clients(): readonly string[] {
    return this.#clients.all().flatMap((client) => client.name ?? []);
  }

  /** What becomes of a packet to `destination` that is looked up in `table`, now. */
  route(table: number, destination: string): Forwarding {
    return forward(this.#life.machine, table, destination);
  }

  /**
   * Every fate that such a packet had in this life, oldest first, each with the request that brought it.
   * @throws Error with `keepsLog: false`.
   */
  history(table: number, destination: string): readonly HistoryStep[] {
    if (!this.#keepsLog) throw new Error('history() needs the requests that keepsLog: false throws away');
    return historyOf(this.#life, this.#startUp, this.log, table, destination);
  }

  /** Every request in order of arrival, over all lives. Empty with `keepsLog: false`. */
  get log(): readonly LoggedRequest[] {
    return this.#dispatcher.log;
  }

  get counters(): Counters {
    return this.#dispatcher.counters(this.#life.machine.leakedDumps);
  }

  /** The id of a message in this life. */
  messageId(name: string): number {
    return this.#life.ids.idOf(name);
  }

  /** @throws RangeError when there is no such localsid. */
  setLocalsidCounters(address: string, counters: LocalsidCounters): void {
    const localsid = this.#life.machine.localsids.find(parseAddress(address).bytes);
    if (localsid === undefined) throw new RangeError(`no localsid ${address}`);
    localsid.counters = counters;
  }

  /** What `show interface` tells from now on, until the next life. @throws RangeError when there is no such interface. */
  setInterfaceCounters(name: string, counters: InterfaceCounters): void {
    this.#interface(name).counters = counters;
  }

  /** An interface comes, until the next life; it takes the number of the one that went last. */
  addInterface(spec: InterfaceSpec): void {
    this.#life.machine.interfaces.add(spec);
  }

  /** @throws RangeError when there is no such interface. */
  removeInterface(name: string): void {
    this.#life.machine.interfaces.remove(this.#interface(name));
  }

  /** As `set interface ip table`. @throws RangeError when there is no such interface. */
  setIpv4Table(name: string, table: number): void {
    this.#interface(name).ipv4Table = table;
  }

  /** As `set interface ip6 table`. @throws RangeError when there is no such interface. */
  setIpv6Table(name: string, table: number): void {
    this.#interface(name).ipv6Table = table;
  }

  /**
   * What the input ACL of an interface makes of a packet to a unicast address, from its IP header on.
   * @throws RangeError when there is no such interface.
   */
  inputVerdict(name: string, packet: Uint8Array): 'accept' | 'drop' {
    return this.#life.machine.inputAcls.verdict(this.#interface(name), Buffer.from(packet)).kind;
  }

  /**
   * What becomes of a packet to a unicast address that comes in by an interface, from its IP header on.
   * @throws RangeError when there is no such interface.
   */
  enter(name: string, packet: Uint8Array): Forwarding {
    return enter(this.#life.machine, this.#interface(name), Buffer.from(packet));
  }

  /** Reads nothing more from any client, so that the socket fills up, until resumeReading(). */
  stallReading(): void {
    this.#isStalled = true;
    for (const { socket } of this.#clients.all()) socket.pause();
  }

  resumeReading(): void {
    this.#isStalled = false;
    for (const { socket } of this.#clients.all()) socket.resume();
  }

  /** Sends these bytes, without a frame of their own, to every client. */
  sendGarbage(bytes: Uint8Array): void {
    for (const { output } of this.#clients.all()) output.send(Buffer.from(bytes));
  }

  /** Cuts all clients off; VPP lives on with its state. */
  disconnectClients(): void {
    for (const { socket } of this.#clients.all()) socket.destroy();
  }

  #interface(name: string): Interface {
    const found = this.#life.machine.interfaces.named(name);
    if (found === undefined) throw new RangeError(`no interface ${name}`);
    return found;
  }

  #accept(socket: Socket): void {
    const client = this.#clients.add(socket, this.faults);
    const clients = this.#clients;
    socket.on('data', (chunk) => this.#read(client, chunk));
    // A client that goes away is no news; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => clients.remove(client));
    if (this.#isStalled) socket.pause();
  }

  #read(client: Client, chunk: Buffer): void {
    const { socket } = client;
    // One system call for all the replies to a chunk.
    socket.cork();
    for (const message of client.input.push(chunk)) {
      const crash = socket.destroyed ? undefined : this.#dispatcher.handle(this.#life, this.#clients, client, message);
      if (crash !== undefined) {
        this.#crash(crash);
        break;
      }
    }
    socket.uncork();
  }

  #crash({ reason, request }: { readonly reason: CrashReason; readonly request: string }): void {
    const record = { reason, request, life: this.#life.number };
    this.crashes.push(record);
    this.#endLife();
    const closed = this.#listener.close('leave-socket');
    if (this.#restartAfterMs !== undefined)
      this.#restartTimer = setTimeout(() => void closed.then(() => this.#listener.open()), this.#restartAfterMs);
    for (const resolve of this.#crashWaiters.splice(0)) resolve(record);
  }

  #endLife(): void {
    this.disconnectClients();
    this.#clients = new Clients();
    this.#life = beginLife(this.#life.number + 1, this.#startUp);
  }
}
