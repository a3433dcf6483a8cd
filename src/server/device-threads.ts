/** What serves the queues of a device, as its main thread handles it: threads of its own, or lanes of shared threads. */
import type { ParamsInit } from '../control/commands.ts';

export interface Fetched {
  /** Sentences about what the threads have to do without. */
  readonly notes: readonly string[];
  /** What the device is, where only the target's half on the threads knows. */
  readonly params: ParamsInit | undefined;
}

export interface DeviceThreads {
  /** Resolves when every tag has been fetched. */
  fetched(): Promise<Fetched>;
  /**
   * Resolves when the device has left every thread, to why its target could not be closed, or to null; rejects as soon as
   * one thread fails.
   */
  left(): Promise<string | null>;
  /** Makes the threads look at the table of registered buffers again. */
  wake(): void;
  /**
   * Makes each thread leave when it has no request in hand. The driver must have stopped to deliver, or must be about
   * to.
   */
  drain(): void;
  /** Gives the memory of I/O buffers that no request is using back to the system, where the threads can do that. */
  rest(): void;
  /** Resolves when no thread uses anything of the device. Threads of its own that have not left are made to. */
  release(): Promise<void>;
}
