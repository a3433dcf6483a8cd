/** What is being waited for, said on stderr. */
const PATIENCE_MS = 500;
const ERASE_LINE = '\r\u001b[2K';

/** Says it to a person who has begun to wonder. */
export async function withProgress<T>(shown: boolean, label: string, work: Promise<T>): Promise<T> {
  if (!shown) return work;
  let visible = false;
  const timer = setTimeout(() => {
    visible = true;
    process.stderr.write(`${label} ...`);
  }, PATIENCE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    if (visible) process.stderr.write(ERASE_LINE);
  }
}

export interface ProgressPrinter {
  readonly onProgress: (message: string) => void;
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
      stream.write(stream.isTTY ? `${ERASE_LINE}${shown} ...` : `${shown} ...\n`);
    },
    clear: () => {
      if (stream.isTTY && last !== '') stream.write(ERASE_LINE);
      last = '';
    },
  };
}
