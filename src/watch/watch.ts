/** Takes a sample every interval and keeps the picture that they make. */
import { observe, type Picture } from './model/picture.ts';
import type { SampleSource } from './sampling/sample.ts';

export interface WatchOptions {
  readonly device?: number | undefined;
  readonly intervalMs: number;
}

export class Watch {
  readonly #sampler: SampleSource;
  readonly #device: number | undefined;
  readonly #listeners = new Set<() => void>();
  #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #picture: Picture;
  #stopped = false;
  readonly #failure = Promise.withResolvers<never>();
  /** Are the heat strips on the screen? */
  heat = false;

  constructor(sampler: SampleSource, { device, intervalMs }: WatchOptions) {
    this.#sampler = sampler;
    this.#device = device;
    this.#intervalMs = intervalMs;
    this.#picture = observe(null, this.#take());
  }

  /** Never resolves; rejects when a sample could not be taken. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  get picture(): Picture {
    return this.#picture;
  }

  start(): void {
    this.#schedule(this.#intervalMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#sampler.close();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  setInterval(intervalMs: number): void {
    if (intervalMs === this.#intervalMs) return;
    this.#intervalMs = intervalMs;
    const since = performance.now() - this.#picture.sample.atMs;
    this.#schedule(Math.max(0, intervalMs - since));
  }

  /** A sample now, in between: something has been done that should be seen. */
  look(): void {
    this.#tick();
  }

  #tick(): void {
    if (this.#stopped) return;
    const begun = performance.now();
    try {
      this.#picture = observe(this.#picture, this.#take());
    } catch (error) {
      this.#failure.reject(error);
      return;
    }
    this.#schedule(this.#intervalMs - (performance.now() - begun));
    for (const listener of this.#listeners) listener();
  }

  #take() {
    return this.#sampler.take({ device: this.#device, heat: this.heat });
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, delayMs));
  }
}
