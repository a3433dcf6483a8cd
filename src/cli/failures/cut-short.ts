/**
 * Reports a command whose process ends before it. The file of a target is somebody's own code and runs in the process of a
 * command too: it can call `process.exit`, throw where nobody catches it, or wait for a promise that nothing is left to
 * settle. Node would end with 0 for the first and the last, and 0 says that there is a device.
 */
import { UblkError } from '../../errors.ts';
import { reportFailure } from './report-failure.ts';

/** Settles as `run` does. `argv`: the words that were typed, for the report. */
export async function orCutShort(argv: readonly string[], run: () => Promise<void>): Promise<void> {
  let why = 'code of the target has called process.exit';
  const nothingLeft = (): void => void (why = 'it waits for a promise that nothing is left to settle');
  const uncaught = (): void => void (why = 'an error was thrown that nobody catches');
  const report = (): void => void (process.exitCode = reportFailure(cutShort(why), argv));
  process.once('beforeExit', nothingLeft);
  process.once('uncaughtExceptionMonitor', uncaught);
  process.once('exit', report);
  try {
    await run();
  } finally {
    process.off('beforeExit', nothingLeft);
    process.off('uncaughtExceptionMonitor', uncaught);
    process.off('exit', report);
  }
}

function cutShort(why: string): UblkError {
  return new UblkError(`the command has ended before it was done: ${why}`, {
    code: 'CUT_SHORT',
    hint: "the top level of a target's file should only define it, and its functions should throw, not end the process",
  });
}
