/**
 * Reports a command whose process ends before the command is done. The file of a target runs in the process of a command, too.
 * It can call `process.exit`, throw an error that nobody catches, or wait for a promise that nothing can settle any more. After
 * the first and the last of these, Node would end with exit code 0, which says that there is a device.
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
