/** Is called with each long step, in the words that a person is shown, and again as the step advances. */
export type OnProgress = (message: string) => void;

export interface TaskOptions {
  readonly onProgress?: OnProgress | undefined;
  /** Aborting stops the task's processes and removes its temporary files. */
  readonly signal?: AbortSignal | undefined;
}
