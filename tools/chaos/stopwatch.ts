/** Measures the steps of a round, because a round that became slow must say where. */
export class Stopwatch {
  readonly #seconds = new Map<string, number>();

  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      const seconds = (performance.now() - started) / 1000;
      this.#seconds.set(name, (this.#seconds.get(name) ?? 0) + seconds);
    }
  }

  /** The steps in the order in which they began to be measured, each with its seconds. */
  text(): string {
    return [...this.#seconds].map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`).join(', ');
  }
}
