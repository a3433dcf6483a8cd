/**
 * Says on stderr what a command waits for. On a terminal it is one line that changes, and it is erased before anything
 * else is printed.
 */
import { escapeControls } from '../../text/escape.ts';
import { cutEnd } from '../../text/fit.ts';
import { ellipsis } from '../output/symbols.ts';

/** A wait that is shorter than this is not mentioned, in milliseconds. */
const PATIENCE_MS = 500;
const ERASE_LINE = '\r\u001b[2K';
const ENDING = ' ...';
/** The width of a terminal that does not know it and says 0, as a serial console does. */
const USUAL_COLUMNS = 80;

/** The part of a stream that progress is written to. */
export type ProgressStream = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown };

export interface ProgressPrinter {
  readonly onProgress: (message: string) => void;
  /** Erases the line, before anything else is printed. */
  readonly clear: () => void;
}

/** Shows each message at once: on a terminal in place of the one before, elsewhere as a line of its own. */
export function progressPrinter(stream: ProgressStream): ProgressPrinter {
  let last = '';
  return {
    onProgress: (message) => {
      // A percentage is for somebody who watches. A log only needs the step.
      const shown = stream.isTTY ? message : message.replace(/: \d+ %$/, '');
      if (shown === last) return;
      last = shown;
      stream.write(
        stream.isTTY ? `${ERASE_LINE}${oneLine(shown, stream.columns)}` : `${escapeControls(shown)}${ENDING}\n`,
      );
    },
    clear: () => {
      if (stream.isTTY && last !== '') stream.write(ERASE_LINE);
      last = '';
    },
  };
}

/** Takes what the library waits for, each time that this changes. */
export type OnWaiting = (what: string) => void;

/**
 * Runs the work, and after half a second shows what it waits for: `label` until the work reports something itself.
 * Nothing is printed when `shown` is false.
 */
export async function withProgress<T>(
  shown: boolean,
  label: string,
  work: Promise<T> | ((onWaiting: OnWaiting) => Promise<T>),
  stream: ProgressStream = process.stderr,
): Promise<T> {
  const printer = progressPrinter(stream);
  let current = label;
  let patient = true;
  const update = (what: string): void => {
    current = what;
    if (shown && !patient) printer.onProgress(current);
  };
  const timer = setTimeout(() => {
    patient = false;
    update(current);
  }, PATIENCE_MS);
  try {
    return await (typeof work === 'function' ? work(update) : work);
  } finally {
    clearTimeout(timer);
    patient = true;
    printer.clear();
  }
}

/** A line that wrapped could not be erased. */
function oneLine(message: string, columns: number): string {
  return `${cutEnd(escapeControls(message), (columns || USUAL_COLUMNS) - ENDING.length - 1, ellipsis())}${ENDING}`;
}
