/** What a server is asked for, what it serves a device with, and what it then has of it. */
import type { SpareRing } from '../control/command-ring.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import type { Held } from './held.ts';
import type { ProcessSetup } from './process-setup.ts';
import type { SharedThreads } from './shared/shared-threads.ts';

export type StartMode = 'add' | 'recover';

export interface Start {
  readonly id: number;
  readonly mode: StartMode;
  /** The call that asks for it, as in the device's record; undefined for one of an older version. */
  readonly attempt: string | undefined;
}

export interface ServedDevice {
  readonly id: number;
  readonly spec: DeviceSpec;
  /** Sentences about what the threads have to do without, and those of the target. */
  readonly notes: readonly string[];
  /** Resolves when the device has left this server, and rejects when a queue thread failed. */
  readonly gone: Promise<void>;
  /**
   * Finishes what is in hand and leaves, without an error for any client: requests that come from now on wait for the
   * next server. Only for a `-b` device: any other is quiesced by QUIESCE_DEV.
   */
  readonly quiesce: () => Promise<void>;
  /** Is to be called every few seconds, so that a device that is idle gives memory back. */
  readonly look: () => void;
}

/** What a device is served with. */
export interface ServingProcess {
  readonly setup: ProcessSetup;
  readonly held: Held;
  /** The name of the resident server that this process is; null for a server of one device. */
  readonly server: string | null;
  /** The threads that serve several devices; null in a server of one device. */
  readonly shared: SharedThreads | null;
  /** Where the channel of a device leaves its ring for that of the next one; null in a server of one device. */
  readonly spareRing: SpareRing | null;
  /** Throws when the server has been asked to end since the start began. */
  readonly requireWanted: () => void;
}
