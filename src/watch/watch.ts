/** Takes a sample in every interval and keeps the newest picture. */
import { observe, type Picture } from './model/picture.ts';
import type { Sample, SampleSource } from './sampling/sample.ts';

export interface WatchOptions {
  /** Watches only this device. */
  readonly device?: number | undefined;
  readonly intervalMs: number;
}

export class Watch {
  readonly #source: SampleSource;
  readonly #device: number | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #failure = Promise.withResolvers<never>();
  #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #picture: Picture;
  /** A sample is being taken; another one was asked for meanwhile. */
  #taking = false;
  #askedAgain = false;
  #stopped = false;
  /** Whether samples include which parts of the buffers are hit. */
  heat = false;

  /** Takes the first sample. */
  static async open(source: SampleSource, options: WatchOptions): Promise<Watch> {
    try {
      return new Watch(source, options, await source.take({ device: options.device, heat: false }));
    } catch (error) {
      source.close();
      throw error;
    }
  }

  private constructor(source: SampleSource, { device, intervalMs }: WatchOptions, first: Sample) {
    this.#source = source;
    this.#device = device;
    this.#intervalMs = intervalMs;
    this.#picture = observe(null, first);
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
    if (!this.#taking) this.#source.close();
  }

  /** `listener` is called after every sample; the function that is returned ends that. */
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

  /** Takes a sample now, between two others: something was done whose result should be seen. */
  look(): void {
    if (this.#taking) this.#askedAgain = true;
    else void this.#tick();
  }

  async #tick(): Promise<void> {
    if (this.#stopped || this.#taking) return;
    this.#taking = true;
    const begun = performance.now();
    try {
      this.#picture = observe(this.#picture, await this.#source.take({ device: this.#device, heat: this.heat }));
    } catch (error) {
      this.#failure.reject(error);
      return;
    } finally {
      this.#taking = false;
      if (this.#stopped) this.#source.close();
    }
    if (this.#stopped) return;
    this.#schedule(this.#askedAgain ? 0 : this.#intervalMs - (performance.now() - begun));
    this.#askedAgain = false;
    for (const listener of this.#listeners) listener();
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tick(), Math.max(1, delayMs));
  }
}
