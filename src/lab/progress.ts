/** Hears about every long step, in the words a person is shown. Called again for the same step as it advances. */
export type OnProgress = (message: string) => void;

export interface TaskOptions {
  readonly onProgress?: OnProgress | undefined;
  /** Aborting stops the task's processes and removes its temporary files. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProgressPrinter {
  readonly onProgress: OnProgress;
  /** Takes the progress off the screen, before anything else is printed. */
  readonly clear: () => void;
}

/** Shows progress on a stream: one line that changes on a terminal, a line a step elsewhere. */
export function progressPrinter(stream: NodeJS.WriteStream): ProgressPrinter {
  let last = '';
  return {
    onProgress: (message) => {
      // Percentages are for eyes; a log wants the step.
      const shown = stream.isTTY ? message : message.replace(/: \d+ %$/, '');
      if (shown === last) return;
      last = shown;
      stream.write(stream.isTTY ? `\r\u001b[2K${shown} ...` : `${shown} ...\n`);
    },
    clear: () => {
      if (stream.isTTY && last !== '') stream.write('\r\u001b[2K');
      last = '';
    },
  };
}
