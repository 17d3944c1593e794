import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSignedCertificate, type Certificate } from './certificate.js';
import type { Answer } from './resource-handler.js';
import { respond, respondError } from './respond.js';

/** An HTTPS server on loopback that goes down and comes back. */
export abstract class Listener {
  readonly certificate: Certificate = selfSignedCertificate();
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** Listens; on the same port again when it did before. */
  async listen(port = this.#port): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer(this.certificate, (request, response) => void this.#serve(request, response));
    // Longer than clients keep a connection: else it closes just when one is used again.
    server.keepAliveTimeout = 120_000;
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Stops listening and breaks every connection. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** What to answer; undefined when that was done already, or never will be. @throws ApiError which is answered, too */
  protected abstract answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | undefined>;

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that leaves is no error of the server.
    response.on('error', () => undefined);
    try {
      const answer = await this.answer(request, response);
      if (answer !== undefined) respond(response, answer);
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else respondError(response, error);
    }
  }
}
