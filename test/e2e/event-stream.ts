export interface StreamedEvent {
  readonly id: string;
  readonly event: string;
  /** The data of the event itself, without type and time. */
  readonly data: unknown;
}

/** A reader of GET /v1/events; resolves once the stream is open, so that nothing that happens afterwards is missed. */
export class EventStream {
  readonly events: StreamedEvent[] = [];
  readonly #stop: AbortController;
  readonly #reading: Promise<void>;

  private constructor(body: AsyncIterable<Uint8Array>, stop: AbortController) {
    this.#stop = stop;
    this.#reading = this.#read(body).catch(() => undefined);
  }

  static async open(
    api: string,
    types: string,
    {
      headers = {},
      lastEventId,
    }: { readonly headers?: Readonly<Record<string, string>>; readonly lastEventId?: string | undefined } = {},
  ): Promise<EventStream> {
    const after = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const stop = new AbortController();
    const request = { headers: { ...headers, ...after }, signal: stop.signal };
    const response = await fetch(`${api}/v1/events?types=${types}`, request);
    if (!response.ok) throw new Error(`the stream is refused: ${await response.text()}`);
    if (response.body === null) throw new Error('the stream has no body');
    return new EventStream(response.body, stop);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(body: AsyncIterable<Uint8Array>): Promise<void> {
    let text = '';
    for await (const part of body) {
      text += Buffer.from(part).toString();
      const messages = text.split('\n\n');
      text = messages.pop() ?? '';
      for (const message of messages) this.#take(message);
    }
  }

  #take(message: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(message)?.[1];
    const [id, event, data] = [field('id'), field('event'), field('data')];
    if (id === undefined || event === undefined || data === undefined) return;
    const parsed = JSON.parse(data) as { readonly data?: unknown };
    this.events.push({ id, event, data: parsed.data ?? parsed });
  }
}
