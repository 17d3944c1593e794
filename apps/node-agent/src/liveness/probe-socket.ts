import { createSocket, type Socket } from 'node:dgram';

export interface ProbeSocket {
  send(address: string, packet: Uint8Array): void;
  close(): void;
}

export interface ProbeSocketListener {
  readonly onPacket: (packet: Uint8Array) => void;
  /** Whether probes can go out now. */
  readonly onOpen: (open: boolean) => void;
  /** Probes cannot be sent or heard; called again whenever the reason changes. null: they can. */
  readonly onError: (reason: string | null) => void;
}

/** A send that fails is told of until none has failed for so long. */
const REFUSED_MS = 10_000;

/** How long to wait before a socket that failed is opened again. */
const REOPEN_MS = 5_000;

/** One UDP port that probes leave from and come back to. */
export class UdpProbeSocket implements ProbeSocket {
  readonly #listener: ProbeSocketListener;
  #socket: Socket | null = null;
  #port = 0;
  #reason: string | null = null;
  #reopen: NodeJS.Timeout | undefined;
  #refused: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(listener: ProbeSocketListener) {
    this.#listener = listener;
    this.#open();
  }

  /** A probe that cannot be sent is a probe that is lost: the way to the first SID may be what is missing. */
  send(address: string, packet: Uint8Array): void {
    this.#socket?.send(packet, this.#port, address, (error) => {
      if (error === null || this.#closed) return;
      if (this.#reason === null) this.#say(`probes cannot be sent: ${error.message}`);
      clearTimeout(this.#refused);
      this.#refused = setTimeout(() => this.#say(null), REFUSED_MS);
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#reopen);
    clearTimeout(this.#refused);
    this.#socket?.close();
    this.#socket = null;
  }

  #open(): void {
    const socket = createSocket({ type: 'udp6', ipv6Only: true, recvBufferSize: 1_048_576 });
    this.#socket = socket;
    socket.on('message', (packet) => this.#listener.onPacket(packet));
    socket.on('listening', () => {
      this.#port = socket.address().port;
      this.#say(null);
      this.#listener.onOpen(true);
    });
    socket.on('error', (error) => {
      if (this.#socket !== socket) return;
      clearTimeout(this.#refused);
      this.#say(`the socket for probes failed: ${error.message}`);
      this.#socket = null;
      this.#listener.onOpen(false);
      socket.close();
      this.#reopen = setTimeout(() => this.#open(), REOPEN_MS);
    });
    socket.bind(0, '::');
  }

  #say(reason: string | null): void {
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.#listener.onError(reason);
  }
}
