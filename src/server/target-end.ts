/** Closes the target of a device, and says in the record, or else in the log, why it could not be closed. */
import { describeFailure } from '../errors.ts';
import { withFilesAlone } from '../record/files-alone.ts';
import type { Opened } from '../targets/target.ts';
import { log } from './log.ts';
import { noteUnclosed } from './noted-end.ts';

/**
 * The end of a device's target. It begins to close before the char device is closed, and may take longer: whoever waits for the
 * device to go waits for the char device, and must not wait for the target.
 */
export class TargetEnd {
  readonly #device: number;
  #closed: Promise<void> | undefined;

  constructor(device: number) {
    this.#device = device;
  }

  begin(target: Opened): void {
    this.#closed = (async () => target.close())();
    // `done` rejects with the same error later.
    this.#closed.catch(() => {});
  }

  /** Resolves when the target is closed, or when there is none. Rejects with what it has thrown, once that is noted. */
  async done(): Promise<void> {
    try {
      await this.#closed;
    } catch (error) {
      await this.#tell(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  /** The record may be another device's by now, or in use: then the log has it. */
  async #tell(problem: string): Promise<void> {
    await withFilesAlone(() => noteUnclosed(this.#device, problem)).catch((unwritten: unknown) =>
      log(describeFailure(unwritten)),
    );
  }
}
