/**
 * Errors of a target outside of every request: exceptions that nobody catches and rejections that nobody handles. Each of
 * them would end a server, so a check ends with the first one.
 */
import { Misbehaviour } from './driven.ts';

export class Strays {
  readonly #first = Promise.withResolvers<never>();
  #isThere = false;

  private constructor() {}

  /** Takes them from Node, which would end the process; `end` must follow. */
  static begin(): Strays {
    const strays = new Strays();
    // There may be one while nothing is waited for.
    strays.#first.promise.catch(() => {});
    process.on('uncaughtException', strays.#thrown);
    process.on('unhandledRejection', strays.#rejected);
    return strays;
  }

  /** Whether there was one: a server would not be there any more. */
  get isThere(): boolean {
    return this.#isThere;
  }

  /** Settles as `work` does, or rejects with a Misbehaviour as soon as there is one, also one from before. */
  async orFirst<T>(work: Promise<T>): Promise<T> {
    const done = await Promise.race([this.#first.promise, work]);
    // What the target has begun meanwhile gets its turn.
    await Promise.race([this.#first.promise, new Promise((resolve) => setTimeout(resolve, 1))]);
    return done;
  }

  end(): void {
    // The target goes on with what it has begun until this process ends, and more may follow.
    if (this.#isThere) return;
    process.off('uncaughtException', this.#thrown);
    process.off('unhandledRejection', this.#rejected);
  }

  readonly #thrown = (cause: unknown): void => this.#note('an error was thrown where nobody catches it', cause);

  readonly #rejected = (cause: unknown): void =>
    this.#note('the target has left a rejection that nobody handles', cause);

  #note(what: string, cause: unknown): void {
    this.#isThere = true;
    this.#first.reject(new Misbehaviour(`${what}: this would end the server, with all of the device`, { cause }));
  }
}
