/**
 * Asks for the addresses of hosts, with a limit. A resolver may ask name servers for a minute or more, and nothing can end it
 * before: it keeps one of the few threads that all look-ups of the process have. So each host is asked for once at a time, and
 * a host that has been found before is taken to be where it was while nobody answers.
 */
import { withinMs } from '../../../control/waiting.ts';
import { UblkError } from '../../../errors.ts';

export class LookUps<T extends readonly unknown[]> {
  readonly #lookUp: (host: string) => Promise<T>;
  readonly #underWay = new Map<string, Promise<T>>();
  readonly #found = new Map<string, T>();

  constructor(lookUp: (host: string) => Promise<T>) {
    this.#lookUp = lookUp;
  }

  /** Rejects as the look-up does, or with ETIMEDOUT when a host that was never found is not found within `limitMs`. */
  async find(host: string, limitMs: number): Promise<T> {
    const before = this.#found.get(host);
    try {
      const found = await withinMs(this.#shared(host), limitMs, null);
      if (found !== null) return found;
      if (before === undefined) throw noName(host, limitMs);
    } catch (error) {
      // The name servers do not answer at the moment. Any other error is an answer.
      if (before === undefined || (error as NodeJS.ErrnoException).code !== 'EAI_AGAIN') throw error;
    }
    return before;
  }

  #shared(host: string): Promise<T> {
    let answer = this.#underWay.get(host);
    if (answer === undefined) {
      answer = this.#lookUp(host).finally(() => this.#underWay.delete(host));
      this.#underWay.set(host, answer);
      answer.then(
        (addresses) => this.#found.set(host, addresses),
        () => {},
      );
    }
    return answer;
  }
}

function noName(host: string, limitMs: number): UblkError {
  return new UblkError(`the address of ${host} is not found within ${limitMs / 1000} s`, {
    code: 'ETIMEDOUT',
    command: 'lookup',
    hint: askResolver(host),
  });
}

export function askResolver(host: string): string {
  return `\`getent ahosts ${host}\` asks the same name servers; an address in the URI needs none`;
}
