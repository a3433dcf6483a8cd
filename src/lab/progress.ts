/** Hears about every long step, in the words a person is shown. Called again for the same step as it advances. */
export type OnProgress = (message: string) => void;

export interface TaskOptions {
  readonly onProgress?: OnProgress | undefined;
  /** Aborting stops the task's processes and removes its temporary files. */
  readonly signal?: AbortSignal | undefined;
}
