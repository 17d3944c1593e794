import type { ControllerProcess, Installation } from './installation.js';

const PAUSE_MS = 100;

/**
 * An operator who keeps creating policies, at one controller after the other, and asks the next one when an answer does not
 * come: asking for the same again is safe.
 */
export class SteadyWriter {
  readonly #installation: Installation;
  readonly #refusals: string[] = [];
  readonly #pairs: readonly (readonly [string, string])[];
  #stopping = false;
  #color: number;
  readonly #writing: Promise<void>;

  /** Adds the ids of the policies that were confirmed to `accepted`, which may hold some already. */
  constructor(
    installation: Installation,
    pairs: readonly (readonly [string, string])[],
    private readonly accepted: Set<string>,
  ) {
    this.#installation = installation;
    this.#pairs = pairs;
    this.#color = 100 + accepted.size;
    this.#writing = this.#write();
  }

  /** Answers that say neither "done" nor "not now". */
  get refusals(): readonly string[] {
    return this.#refusals;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { controllers } = this.#installation;
    for (let turn = 0; !this.#stopping; turn++) {
      const controller = controllers[turn % controllers.length] as ControllerProcess;
      const [headend, endpoint] = this.#pairs[this.#color % this.#pairs.length] ?? ['', ''];
      if (await this.#create(controller, headend, endpoint)) this.#color++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #create(controller: ControllerProcess, headend: string, endpoint: string): Promise<boolean> {
    const path = { kind: 'dynamic', metric: 'delay', constraints: {} };
    const candidatePaths = [{ discriminator: 1, preference: 100, path }];
    const body = { headend, color: this.#color, endpoint, fallback: 'drop', candidatePaths };
    try {
      const answer = await this.#installation.ask(controller, 'POST', '/v1/sr-policies', { body });
      if (answer.status === 200 || answer.status === 201) {
        this.accepted.add(`${headend}:${this.#color}:${endpoint}`);
        return true;
      }
      const isBusy = answer.status === 503 && answer.headers.has('retry-after');
      if (!isBusy) this.#refusals.push(`${controller.name}: ${answer.status} ${JSON.stringify(answer.body)}`);
    } catch {
      // It is gone, or does not answer: whether the policy is there tells the next one.
    }
    return false;
  }
}
